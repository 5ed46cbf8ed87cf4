//! An explanation as an annotated hex dump.

use std::fmt;
use std::ops::Range;

use super::row::{Clean, Columns, NAMES, Row, count};
use super::{Explanation, Note};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_fact = |note: &&Note| note.range.is_none() && note.depth == 0;
        let facts: Vec<&Note> = self.notes.iter().filter(is_fact).collect();
        let width = |note: &&Note| Clean(&note.name).to_string().chars().count();
        let name = facts.iter().map(width).max().unwrap_or_default().min(NAMES);
        for fact in &facts {
            let line = format!("{:name$}  {}", Clean(&fact.name).to_string(), Clean(&fact.value));
            writeln!(f, "{}", line.trim_end())?;
        }
        let texts = self.gap_texts();
        let rows = self.rows(&texts);
        if !facts.is_empty() && !rows.is_empty() {
            writeln!(f)?;
        }
        let columns = Columns {
            offset: format!("{:04x}", self.bytes.len()).len(),
            name: rows.iter().map(Row::name_width).max().unwrap_or_default().min(NAMES),
        };
        rows.iter().try_for_each(|row| row.write(f, columns, f.alternate()))?;
        match &self.error {
            Some(error) => writeln!(f, "error: {}", Clean(error)),
            None => Ok(()),
        }
    }
}

/// A part of the bytes that no note is about.
struct Gap {
    range: Range<usize>,
    name: &'static str,
    value: String,
}

impl Explanation {
    /// Notes and gaps in the order in which they are printed.
    fn rows<'a>(&'a self, gaps: &'a [Gap]) -> Vec<Row<'a>> {
        let mut rows = Vec::new();
        let mut gaps = gaps.iter().peekable();
        // The notes that the next one may be a part of.
        let mut within: Vec<&Note> = Vec::new();
        let inner = self.notes.iter().skip(1).map(|note| note.depth).chain([0]);
        for (note, next_depth) in self.notes.iter().zip(inner) {
            let start = note.range.as_ref().map_or(0, |range| range.start);
            while let Some(gap) = gaps.next_if(|gap| gap.range.end <= start) {
                rows.push(self.gap_row(gap, &within));
            }
            within.truncate(within.partition_point(|outer| outer.depth < note.depth));
            if note.range.is_some() || note.depth > 0 {
                rows.push(self.note_row(note, next_depth > note.depth));
            }
            within.push(note);
        }
        rows.extend(gaps.map(|gap| self.gap_row(gap, &within)));
        rows
    }

    fn note_row<'a>(&'a self, note: &'a Note, has_parts: bool) -> Row<'a> {
        let range = note.range.clone().unwrap_or_default();
        let there = range.start.min(self.bytes.len())..range.end.min(self.bytes.len());
        let bytes = self.bytes.get(there).unwrap_or_default();
        let missing = range.len().saturating_sub(bytes.len());
        Row {
            offset: note.range.as_ref().map(|range| range.start),
            bytes,
            missing,
            counted: has_parts && range.len() > super::row::WIDTH,
            depth: note.depth,
            name: &note.name,
            value: &note.value,
        }
    }

    /// A gap is a part of the innermost note around it.
    fn gap_row<'a>(&'a self, gap: &'a Gap, within: &[&Note]) -> Row<'a> {
        let around = |note: &&&Note| {
            let range = note.range.clone().unwrap_or_default();
            range.start <= gap.range.start && gap.range.end <= range.end
        };
        let outer = within.iter().rev().find(around);
        Row {
            offset: Some(gap.range.start),
            bytes: self.bytes.get(gap.range.clone()).unwrap_or_default(),
            missing: 0,
            counted: false,
            depth: outer.map_or(0, |note| note.depth.saturating_add(1)),
            name: gap.name,
            value: &gap.value,
        }
    }

    /// The bytes that no note is about in the order of the frame, then those behind the frame.
    fn gap_texts(&self) -> Vec<Gap> {
        let mut covered = self.covered();
        let end = self.end();
        covered.push(end..end);
        covered.sort_by_key(|range| range.start);
        let mut gaps = Vec::new();
        let mut at = 0_usize;
        for range in covered {
            let start = range.start.min(end);
            if start > at {
                let value = count(start.saturating_sub(at));
                gaps.push(Gap { range: at..start, name: "...", value: format!("{value} unknown") });
            }
            at = at.max(range.end);
        }
        if self.bytes.len() > end {
            let behind = self.bytes.len().saturating_sub(end);
            let are = if behind == 1 { "is" } else { "are" };
            let value = format!("{} that {are} not of this frame", count(behind));
            gaps.push(Gap { range: end..self.bytes.len(), name: "behind the frame", value });
        }
        gaps
    }

    /// The bytes that notes are about; of those with parts, only the parts.
    fn covered(&self) -> Vec<Range<usize>> {
        let mut covered = Vec::new();
        // The notes that the next one may be a part of, and whether something is a part of them.
        let mut within: Vec<(&Note, bool)> = Vec::new();
        for note in self.notes.iter().map(Some).chain([None]) {
            let depth = note.map_or(0, |note| note.depth);
            while let Some((outer, has_parts)) = within.pop_if(|(outer, _)| outer.depth >= depth) {
                covered.extend(outer.range.clone().filter(|_| !has_parts));
            }
            let Some(note) = note else { break };
            let is_around = |(outer, _): &&mut (&Note, bool)| encloses(outer, note);
            if let Some((_, has_parts)) = within.iter_mut().rev().find(is_around) {
                *has_parts = true;
            }
            within.push((note, false));
        }
        covered
    }
}

/// Whether bytes of `inner` are bytes of `outer`.
fn encloses(outer: &Note, inner: &Note) -> bool {
    match (&outer.range, &inner.range) {
        (Some(outer), Some(inner)) => {
            !inner.is_empty() && outer.start <= inner.start && inner.start < outer.end
        }
        _ => false,
    }
}
