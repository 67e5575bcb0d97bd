//! A conversation with a language model of turns, a line each: what was said is kept in the model's state.
//!
//! ```text
//! turn ⏎ ─▶ state ─▶ reply, drawn word by word until ⏎ ─▶ state ─▶ turn ⏎ …
//! ```

use crate::error::Error;
use crate::generate::{Sampling, check, draw, read};
use crate::model::{State, Tokens, Trained};
use crate::text::Tokenizer;
use serde::Serialize;

/// Tokens of a reply at most.
pub const LONGEST: usize = 400;

/// A conversation.
pub struct Chat {
    trained: Trained,
    state: State<f32>,
    sampling: Sampling,
    /// Tokens drawn so far: each has random numbers of its own.
    drawn: u64,
    begun: bool,
}

/// How well replies are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Replies {
    /// Conversations.
    pub conversations: u64,
    /// Replies.
    pub replies: u64,
    /// Replies that are word for word as they stand in the file.
    pub exact: u64,
}

impl Chat {
    /// Begins a conversation.
    ///
    /// # Errors
    /// A model of made data, settings outside their range.
    pub fn new(trained: Trained, sampling: Sampling) -> Result<Chat, Error> {
        check(sampling)?;
        trained.tokenizer()?;
        Ok(Chat { trained, state: State::default(), sampling, drawn: 0, begun: false })
    }

    /// Forgets what was said.
    pub fn forget(&mut self) {
        (self.state, self.begun) = (State::default(), false);
    }

    /// Says a turn, and gives the reply.
    ///
    /// # Errors
    /// A turn that the tokeniser refuses.
    pub fn say(&mut self, turn: &str) -> Result<String, Error> {
        let (end, ids) = self.heard(turn)?;
        let mut logits = read(&mut self.trained, &ids, &mut self.state)?;
        let unknown = self.tokenizer()?.unknown();
        let mut reply = vec![];
        for _ in 0..LONGEST {
            let next = draw(&logits, unknown, self.sampling, self.drawn);
            self.drawn += 1;
            logits = read(&mut self.trained, &[next], &mut self.state)?;
            if next == end {
                break;
            }
            reply.push(next);
        }
        Ok(self.tokenizer()?.decode(&reply)?.trim().to_string())
    }

    /// Replies of a file of conversations (turn, reply, turn, reply …, an empty line between two of them): each is given
    /// after the turns and the replies that stand there.
    ///
    /// # Errors
    /// A turn that has no reply, named by its line.
    pub fn measure(&mut self, file: &str, text: &str) -> Result<Replies, Error> {
        let mut found = Replies::default();
        self.forget();
        let mut lines = text.lines().enumerate();
        while let Some((number, turn)) = lines.next() {
            if turn.trim().is_empty() {
                self.forget();
                continue;
            }
            found.conversations += u64::from(!self.begun);
            let Some((_, wanted)) = lines.next().filter(|(_, reply)| !reply.trim().is_empty()) else {
                let message = "this turn has no reply: turns and replies take turns, a line each";
                return Err(Error::Refused(format!("{file}:{}: {message}", number + 1)));
            };
            // The reply is drawn from a copy of the state: what stands in the file is what was said.
            let (state, begun) = (self.state.clone(), self.begun);
            let given = self.say(turn)?;
            (self.state, self.begun) = (state, begun);
            for said in [turn, wanted] {
                let (_, ids) = self.heard(said)?;
                read(&mut self.trained, &ids, &mut self.state)?;
            }
            found.replies += 1;
            found.exact += u64::from(given.split_whitespace().eq(wanted.split_whitespace()));
        }
        Ok(found)
    }

    /// The end of a line, and what the model reads of a turn.
    fn heard(&mut self, turn: &str) -> Result<(u32, Vec<u32>), Error> {
        let tokenizer = self.tokenizer()?;
        let end = tokenizer.end();
        let mut ids = if self.begun { vec![] } else { vec![end] };
        ids.extend(tokenizer.encode(&format!("{}\n", turn.trim()))?);
        self.begun = true;
        Ok((end, ids))
    }

    fn tokenizer(&self) -> Result<&Tokenizer, Error> {
        match &self.trained.tokens {
            Tokens::Text(tokenizer) => Ok(tokenizer),
            Tokens::Made(_) => self.trained.tokenizer(),
        }
    }
}
