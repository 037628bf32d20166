use super::*;

#[test]
fn one_line_says_what_was_passed_over() {
    let mut summary = Summary { files: 1, objects: 1, ..Summary::default() };
    assert_eq!(summary.to_string(), "1 object in 1 file");
    (summary.files, summary.objects, summary.hidden) = (2, 0, 3);
    assert_eq!(summary.to_string(), "0 objects in 2 files; passed over: 3 dot-files");
    summary.foreign = 1;
    summary.not_objects = 2;
    assert_eq!(
        summary.to_string(),
        "0 objects in 2 files; passed over: 1 object of another kind, \
         2 documents that are no objects, 3 dot-files"
    );
}
