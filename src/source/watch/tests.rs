use super::*;

#[test]
fn a_directory_that_is_not_watched_is_told_with_what_to_do() {
    let full = notify::Error::new(notify::ErrorKind::MaxFilesWatch).add_path("shop/a".into());
    let said = not_watched("shop", &full);
    assert_eq!((said.code, said.severity), (codes::NOT_WATCHED, Severity::Warning));
    assert_eq!(&*said.file, "shop");
    assert_eq!(said.message, "changes here are seen late: OS file watch limit reached");
    assert!(said.help.contains("max_user_watches"), "{}", said.help);
}
