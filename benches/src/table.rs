//! Markdown tables.

/// Renders a table whose columns are padded, so that it reads well as plain text too.
///
/// The first column is aligned left, the others right. Rows shorter than `heading` end in empty
/// cells.
#[must_use]
pub fn markdown(heading: &[String], rows: &[Vec<String>]) -> String {
    let text = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
    let widths: Vec<usize> = (0..heading.len())
        .map(|at| {
            let cells = rows.iter().map(|row| text(row, at));
            let width = |cell: String| cell.chars().count();
            cells.chain([heading[at].clone()]).map(width).max().unwrap_or(0).max(3)
        })
        .collect();
    let line = |row: &[String]| -> String {
        let cells = widths.iter().enumerate().map(|(at, &width)| match at {
            0 => format!(" {:<width$} |", text(row, at)),
            _ => format!(" {:>width$} |", text(row, at)),
        });
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = widths.iter().enumerate().map(|(at, &width)| match at {
        0 => format!("{}|", "-".repeat(width + 2)),
        _ => format!("{}:|", "-".repeat(width + 1)),
    });
    let mut out = line(heading);
    out.push_str(&format!("|{}\n", rule.collect::<String>()));
    out.extend(rows.iter().map(|row| line(row)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_line_up() {
        let rows = [row(&["direct", "8.1"]), row(&["µ", "120.5"])];
        let expected = "\
| who    |   CPU |
|--------|------:|
| direct |   8.1 |
| µ      | 120.5 |
";
        assert_eq!(markdown(&row(&["who", "CPU"]), &rows), expected);
    }

    #[test]
    fn missing_cells_are_empty() {
        let expected = "\
| a   |   b |
|-----|----:|
| x   |     |
";
        assert_eq!(markdown(&row(&["a", "b"]), &[row(&["x"])]), expected);
    }
}
