//! ``did you mean `hostnames`?``, for fields, kinds, causes and topics alike.

#[cfg(test)]
mod tests;

/// The candidate that is a slip of the fingers away, if there is one: a third of the word may
/// differ, but never more than three letters.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Longer words are nobody's typing, and cost the square of their length.
    if word.len() > 64 {
        return None;
    }
    let bound = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Damerau-Levenshtein in the form of optimal string alignment: insertions, deletions,
/// substitutions and swaps of neighbours. A difference of case alone costs nothing but is no
/// match either, so `HttpRoute` finds `HTTPRoute`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().map(|c| c.to_ascii_lowercase()).collect();
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// "`A`, `B` and `C`", for help lines.
pub(super) fn all_of(words: &[&str]) -> String {
    listed(words, "and")
}

/// "`A`, `B` or `C`", for help lines.
pub(super) fn one_of(words: &[&str]) -> String {
    listed(words, "or")
}

fn listed(words: &[&str], conjunction: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "nothing".into(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} {conjunction} {last}", others.join(", ")),
    }
}
