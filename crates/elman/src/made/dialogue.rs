//! Conversations: things get colours, and later somebody asks for them.

use super::{below, one};
use elman_engine::Random;

const THINGS: [&str; 4] = ["boat", "cat", "hat", "house"];
const COLOURS: [&str; 6] = ["red", "blue", "green", "white", "black", "grey"];
const TURNS: usize = 10;

/// Ten turns and ten replies, a line each.
pub fn conversation(random: &mut Random) -> String {
    let mut told: [Option<&str>; THINGS.len()] = [None; THINGS.len()];
    let mut text = String::new();
    for _ in 0..TURNS {
        let k = below(random, THINGS.len());
        let thing = THINGS[k];
        let turn = if random.uniform() < 0.4 {
            told[k] = Some(one(random, &COLOURS));
            format!("my {thing} is {}", told[k].unwrap_or_default())
        } else {
            format!("what colour is my {thing} ?")
        };
        let reply = told[k].map_or("you did not say".into(), |colour| format!("your {thing} is {colour}"));
        text += &format!("{turn}\n{reply}\n");
    }
    text
}
