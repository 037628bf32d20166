//! What differs between two texts, line by line.

use std::fmt::Write;

/// Lines of `expected` that are gone with `-`, new ones with `+`, and three lines around them.
/// Works on what lies between the common start and end; there, by longest common subsequence.
pub fn lines(expected: &str, actual: &str) -> String {
    let old: Vec<&str> = expected.lines().collect();
    let new: Vec<&str> = actual.lines().collect();
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (changed_old, changed_new) = (&old[start..old.len() - end], &new[start..new.len() - end]);

    let mut text = String::new();
    for line in &old[start.saturating_sub(3)..start] {
        let _ = writeln!(text, "  {line}");
    }
    middle(changed_old, changed_new, &mut text);
    for line in old[old.len() - end..].iter().take(3) {
        let _ = writeln!(text, "  {line}");
    }
    if text.is_empty() && expected != actual {
        text.push_str("  (they differ in how the last line ends)\n");
    }
    text
}

fn middle(old: &[&str], new: &[&str], text: &mut String) {
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            let _ = writeln!(text, "  {}", old[i]);
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            let _ = writeln!(text, "- {}", old[i]);
            i += 1;
        } else {
            let _ = writeln!(text, "+ {}", new[j]);
            j += 1;
        }
    }
}

#[test]
fn only_what_differs_is_shown() {
    assert_eq!(lines("a\nb\nc\n", "a\nb\nc\n"), "  a\n  b\n  c\n");
    assert_eq!(lines("a\nb\nc\n", "a\nx\nc\n"), "  a\n- b\n+ x\n  c\n");
    assert_eq!(lines("", "x\n"), "+ x\n");
    assert_eq!(lines("a\na\n", "a\n"), "  a\n- a\n");
    assert_eq!(lines("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\n7\n"), "  3\n  4\n  5\n- 6\n+ 7\n");
    assert!(lines("a\nx\nb\ny\n", "x\nb\nz\n").contains("  x\n  b\n- y\n+ z\n"));
}
