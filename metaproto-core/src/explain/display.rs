//! An explanation as an annotated hex dump.

use std::fmt;
use std::ops::Range;

use super::row::{Clean, Columns, Row, count};
use super::{Explanation, Note};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_fact = |note: &&Note| note.range.is_none() && note.depth == 0;
        let facts: Vec<&Note> = self.notes.iter().filter(is_fact).collect();
        let width = |note: &&Note| Clean(&note.name).to_string().chars().count();
        let name = facts.iter().map(width).max().unwrap_or_default();
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
            name: rows.iter().map(Row::name_width).max().unwrap_or_default(),
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
        let next_depths = self.notes.iter().skip(1).map(|note| note.depth).chain([0]);
        let leaves = self.notes.iter().zip(next_depths).filter(|(note, next)| *next <= note.depth);
        let mut covered: Vec<Range<usize>> =
            leaves.filter_map(|(note, _)| note.range.clone()).collect();
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
            let value = count(self.bytes.len().saturating_sub(end));
            let value = format!("{value} that are not of this frame");
            gaps.push(Gap { range: end..self.bytes.len(), name: "behind the frame", value });
        }
        gaps
    }
}
