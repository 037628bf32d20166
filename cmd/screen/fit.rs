//! Text that fits onto a screen: what is too wide ends in `…`, never within a number, which would be
//! another one.

/// Between two columns.
const GAP: usize = 2;
/// No column of words is made narrower.
const WORDS_MIN: usize = 12;

/// The beginning of a line.
pub fn line(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().take(width.saturating_sub(1)).collect();
    let is_of_number = |c: char| c.is_ascii_digit() || c == '.' || c == '%';
    if text.chars().nth(kept.len()).is_some_and(is_of_number) {
        while kept.last().copied().is_some_and(|c| c.is_ascii_digit() || c == '.') {
            kept.pop();
        }
    }
    let kept: String = kept.into_iter().collect();
    if width == 0 { String::new() } else { format!("{}…", kept.trim_end()) }
}

/// A line for the headings and one for each row. What is too wide loses the ends of its words
/// first, and then columns from the right: the first ones say the most.
pub fn table(headings: &[&str], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let heads: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    let all: Vec<&[String]> =
        std::iter::once(heads.as_slice()).chain(rows.iter().map(Vec::as_slice)).collect();
    let full: Vec<usize> = (0..headings.len()).map(|at| widest(&all, at)).collect();
    let shrunk = |columns: usize| {
        let mut widths = full[..columns].to_vec();
        shrink(&mut widths, rows, width);
        widths
    };
    let fitting = (2..=full.len()).rev().map(shrunk).find(|widths| total(widths) <= width);
    let widths = fitting.unwrap_or_else(|| shrunk(full.len().min(1)));
    let shown = |row: &&[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| {
            let cell = line(cell, width);
            format!("{cell:<column$}", column = width + GAP)
        });
        line(cells.collect::<String>().trim_end(), width)
    };
    all.iter().map(shown).collect()
}

fn widest(rows: &[&[String]], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column));
    cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Takes from the widest column of words, as long as that helps.
fn shrink(widths: &mut [usize], rows: &[Vec<String>], width: usize) {
    let is_words = |column: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(column));
        cells.any(|cell| cell.starts_with(|c: char| c.is_alphabetic()))
    };
    let words: Vec<usize> = (0..widths.len()).filter(|&column| is_words(column)).collect();
    while total(widths) > width {
        let widest = words.iter().copied().filter(|&column| widths[column] > WORDS_MIN);
        let Some(column) = widest.max_by_key(|&column| widths[column]) else { return };
        widths[column] -= 1;
    }
}

#[cfg(test)]
mod tests;
