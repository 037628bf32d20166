//! A JSON value as YAML that people would have written: block style, nothing folded.

use serde_json::Value;

/// Ends with a line break. Keys keep their order.
pub fn to_yaml(value: &Value) -> String {
    let options = serde_yaml::ser_options! {
        indent_step: 2,
        compact_list_indent: true,
        min_fold_chars: usize::MAX,
        folded_wrap_chars: usize::MAX,
    };
    let mut text = String::new();
    serde_yaml::to_fmt_writer_with_options(&mut text, value, options)
        .expect("a JSON value has a form in YAML, and a String takes it");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
