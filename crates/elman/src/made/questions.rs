//! Questions and the sentences that answer them, in other words than the question's.

use super::one;
use elman_engine::Random;

const NAMES: [&str; 24] = [
    "anna", "boris", "clara", "david", "elena", "felix", "greta", "hugo", "irina", "jonas", "kira", "leo", "maria",
    "nils", "olga", "paul", "rosa", "simon", "tanya", "ulla", "vera", "walter", "xenia", "yuri",
];
const PLACES: [&str; 12] =
    ["london", "moscow", "paris", "berlin", "rome", "madrid", "vienna", "oslo", "prague", "lisbon", "athens", "dublin"];
const TRADES: [[&str; 2]; 10] = [
    ["teacher", "gives lessons at a school"],
    ["doctor", "treats the sick"],
    ["baker", "makes bread at night"],
    ["pilot", "flies aircraft"],
    ["farmer", "keeps cows and grows wheat"],
    ["singer", "performs at the opera"],
    ["lawyer", "speaks before the court"],
    ["painter", "sells pictures of the sea"],
    ["sailor", "steers a ship"],
    ["gardener", "looks after roses"],
];

/// A question, a tab, its answer.
pub fn pair(random: &mut Random) -> String {
    let (name, place) = (one(random, &NAMES), one(random, &PLACES));
    let [trade, does] = TRADES[super::below(random, TRADES.len())];
    match super::below(random, 3) {
        0 => format!("who is the {trade} in {place} ?\tin {place} , {name} {does}"),
        1 => format!("where does the {trade} {name} live ?\t{name} {does} and has a home in {place}"),
        _ => format!("what is the job of {name} from {place} ?\t{name} {does} , and comes from {place}"),
    }
}
