//! Help topics on a terminal: `#` headings, paragraphs, `- ` lists, and four spaces in front of
//! what must stay as it is. No other Markdown is understood, and none is written in `cmd/help/`.

use std::fmt::Write;

/// Wraps to `width` columns; headings carry ANSI codes, which the stream drops where they don't
/// belong.
pub fn render(markdown: &str, width: usize) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    for line in markdown.lines() {
        let starts_anew =
            line.is_empty() || line.starts_with("    ") || line.starts_with(['#', '-']);
        if starts_anew {
            flush(&mut out, &mut paragraph, width);
        }
        if let Some(heading) = line.strip_prefix('#') {
            let bold = super::BOLD;
            let _ = writeln!(out, "{bold}{}{bold:#}", heading.trim_start_matches('#').trim());
        } else if line.is_empty() || line.starts_with("    ") {
            out.push_str(line);
            out.push('\n');
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    flush(&mut out, &mut paragraph, width);
    out
}

/// Ends the paragraph, if there is one; a list item hangs under its own text.
fn flush(out: &mut String, paragraph: &mut String, width: usize) {
    let text = std::mem::take(paragraph);
    if text.is_empty() {
        return;
    }
    let (first, rest) = if text.starts_with("- ") { ("  ", "    ") } else { ("", "") };
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column == 0 {
            out.push_str(first);
            column = first.len();
        } else if column + 1 + length > width {
            out.push('\n');
            out.push_str(rest);
            column = rest.len();
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests;
