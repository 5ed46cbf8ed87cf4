//! What the tour prints.

/// What a part of the tour is about.
pub(crate) fn heading(text: &str) {
    println!("\n{text}\n");
}

/// A line of a part.
pub(crate) fn say(line: &str) {
    println!("    {line}");
}

/// What was sent, what came back, and why.
pub(crate) fn row(sent: &str, back: &str, why: &str) {
    say(&format!("{sent:<21}  ->  {back}"));
    if !why.is_empty() {
        say(&format!("{:27}{why}", ""));
    }
}
