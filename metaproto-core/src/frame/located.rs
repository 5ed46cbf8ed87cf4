//! Where the parts of a frame are.

use super::parts::{Cursor, Part, Progress, Stop};

/// `[usize; N]`: a place or a size for each part.
pub trait Places:
    Copy + Send + Sync + AsRef<[usize]> + AsMut<[usize]> + sealed::Sealed + 'static
{
    /// Zeros.
    const ZERO: Self;
}

mod sealed {
    pub trait Sealed {}
    impl<const N: usize> Sealed for [usize; N] {}
}

impl<const N: usize> Places for [usize; N] {
    const ZERO: Self = [0; N];
}

/// What has been found of the parts of a frame, which need not have arrived whole.
#[derive(Debug, Clone)]
pub struct Located<S> {
    starts: S,
    /// How many parts have been passed.
    passed: usize,
    /// What has been settled of the next one.
    progress: Progress,
    /// The length of the whole frame, once it is known.
    total: Option<u64>,
}

impl<S: Places> Default for Located<S> {
    fn default() -> Self {
        Located { starts: S::ZERO, passed: 0, progress: Progress::default(), total: None }
    }
}

impl<S: Places> Located<S> {
    /// Where the parts start, and, last, where the body does. Those that have not been found are at 0.
    #[must_use]
    pub fn starts(&self) -> &S {
        &self.starts
    }

    /// Where the body starts, once all parts have been found.
    #[must_use]
    pub fn header_size(&self) -> usize {
        self.starts.as_ref().last().copied().unwrap_or_default()
    }

    /// The length of the whole frame in bytes, if the parts tell it and have been found.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The first part starts here.
    #[doc(hidden)]
    #[inline]
    pub fn begin(&mut self, at: usize) {
        if let Some(first) = self.starts.as_mut().first_mut() {
            *first = at;
        }
    }

    /// Where a part starts.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    pub fn start(&self, index: usize) -> usize {
        self.starts.as_ref().get(index).copied().unwrap_or_default()
    }

    /// Passes over a part, or goes on passing.
    ///
    /// # Errors
    /// As [`Part::skip`].
    #[doc(hidden)]
    #[inline]
    pub fn pass<P: Part>(
        &mut self,
        index: usize,
        cursor: &mut Cursor<'_>,
        field: &'static str,
        part: &P,
    ) -> Result<(), Stop> {
        let next = index.saturating_add(1);
        if index < self.passed {
            cursor.seek(self.start(next));
            return Ok(());
        }
        cursor.enter(field);
        part.skip(cursor, &mut self.progress)?;
        if let Some(start) = self.starts.as_mut().get_mut(next) {
            *start = cursor.position();
        }
        self.passed = next;
        self.progress.at = 0;
        Ok(())
    }

    /// The value of a part that has been passed.
    ///
    /// # Errors
    /// As [`Part::read`].
    #[doc(hidden)]
    #[inline]
    pub fn again<P: Part>(
        &self,
        index: usize,
        cursor: &mut Cursor<'_>,
        part: &P,
    ) -> Result<P::Value, Stop> {
        super::whole::again(cursor, self.start(index), part)
    }

    /// What has been found of the parts of a value within a frame, which `progress` has kept. The
    /// cursor is then where the value starts.
    #[doc(hidden)]
    pub fn resume(cursor: &mut Cursor<'_>, progress: &mut Progress) -> Self {
        let mut located = Self::default();
        if let Some(begun) = progress.resume(cursor) {
            let settled = cursor.position();
            let mut kept = || progress.resume(cursor).unwrap_or_default() as usize;
            located.passed = kept();
            let found = located.passed.saturating_add(1);
            for start in located.starts.as_mut().iter_mut().take(found).rev() {
                *start = kept();
            }
            // The part that stopped goes on there, once it is come to.
            progress.at = settled;
            cursor.seek(begun as usize);
        }
        located.progress = std::mem::take(progress);
        located
    }

    /// Keeps what has been found of a value that starts at `begun`, for [`resume`](Located::resume).
    ///
    /// # Errors
    /// `passed`, if it is one.
    #[doc(hidden)]
    pub fn suspend(
        self,
        begun: usize,
        passed: Result<(), Stop>,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        *progress = self.progress;
        let Err(stop @ Stop::Need(_)) = passed else { return passed };
        let starts = self.starts.as_ref();
        let at = starts.get(self.passed).copied().unwrap_or_default();
        if at == 0 && *progress == Progress::new() {
            // Not even its fixed part has arrived.
            return passed;
        }
        for start in starts.iter().take(self.passed.saturating_add(1)) {
            progress.save(stop, at, *start as u64);
        }
        progress.save(stop, at, self.passed as u64);
        Err(progress.save(stop, at, begun as u64))
    }

    /// The frame goes on for so many bytes. Whether that is all that is to be found out for now.
    #[doc(hidden)]
    pub fn settle(&mut self, cursor: &Cursor<'_>, bytes: u64, more: u64) -> bool {
        let here = cursor.position() as u64;
        self.total = Some(here.saturating_add(bytes).saturating_add(more));
        cursor.is_open()
    }
}
