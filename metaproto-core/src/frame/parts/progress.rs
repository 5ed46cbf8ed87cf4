//! What is settled of a part that has not arrived whole.

use super::{Cursor, Stop};

/// What is settled of a part that has not arrived whole, so that going on costs only the new bytes.
///
/// A part that stops [saves](Progress::save) how far it came. If it is within another, that one
/// saves behind it what it needs itself. Going on, each [resumes](Progress::resume) in turn, from
/// the outermost in. Both are no concern of callers: they keep it from call to call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Everything before this position is settled. Zero if nothing is.
    pub at: usize,
    /// What the innermost part saved: mostly, how many items are left. Kept apart from `stack`, which
    /// allocates and is seldom needed.
    pub left: Option<u64>,
    /// What the parts around it saved.
    pub stack: Vec<u64>,
}

impl Progress {
    /// Nothing is settled. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Progress { at: 0, left: None, stack: Vec::new() }
    }

    /// Notes, if it is bytes that lack, that everything before `at` is settled, unless a part within has
    /// noted where it stopped, and what `value` to go on with. Returns `stop`.
    #[cold]
    pub fn save(&mut self, stop: Stop, at: usize, value: u64) -> Stop {
        if let Stop::Need(_) = stop {
            if self.at == 0 {
                self.at = at;
            }
            match self.left {
                None => self.left = Some(value),
                Some(_) => self.stack.push(value),
            }
        }
        stop
    }

    /// Moves the cursor to where the work goes on, and returns what this part saved last. `None` if
    /// it has not begun.
    #[inline]
    pub fn resume(&mut self, cursor: &mut Cursor<'_>) -> Option<u64> {
        if self.at != 0 {
            cursor.seek(std::mem::take(&mut self.at));
        }
        self.stack.pop().or_else(|| self.left.take())
    }

    /// The same for a value whose first bytes tell what the part behind them is: moves the cursor to
    /// where the value starts, so that they are read again, and returns that place. The part behind
    /// them then goes on where it stopped, and what it returns goes to [`keep`](Progress::keep).
    #[inline]
    pub fn restart(&mut self, cursor: &mut Cursor<'_>) -> usize {
        if let Some(begun) = self.resume(cursor) {
            self.at = cursor.position();
            cursor.seek(begun as usize);
        }
        cursor.position()
    }

    /// Keeps that a value starts at `begun`, and the part behind its first bytes at `at`, if that part
    /// lacks bytes. Returns `passed`.
    ///
    /// # Errors
    /// `passed`, if it is one.
    #[inline]
    pub fn keep(&mut self, begun: usize, at: usize, passed: Result<(), Stop>) -> Result<(), Stop> {
        match passed {
            Ok(()) => self.at = 0,
            Err(stop) => return Err(self.save(stop, at, begun as u64)),
        }
        Ok(())
    }
}
