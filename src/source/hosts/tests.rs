use super::*;

#[test]
fn a_hosts_file_is_read_as_the_system_reads_it() {
    let text = "\u{feff}# comment\n127.0.0.1 localhost db\n::1\tlocalhost # db\n\
        10.0.0.7  Shop.Example. shop\n10.0.0.8 shop\nnot-an-address shop\n10.0.0.9\n";
    let found = |name: &str| {
        in_hosts(text, name).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("localhost"), "127.0.0.1 ::1");
    assert_eq!(found("db"), "127.0.0.1");
    assert_eq!(found("shop"), "10.0.0.7 10.0.0.8");
    assert_eq!(found("shop.example"), "10.0.0.7");
    assert_eq!(found("sho"), "");
    assert_eq!(found("10.0.0.9"), "");
}

#[test]
fn localhost_needs_no_file() {
    let nowhere = Path::new("/nonexistent/hosts");
    for name in ["localhost", "a.LOCALHOST"] {
        assert_eq!(look_up(nowhere, name).len(), 2, "{name}");
    }
    assert_eq!(look_up(nowhere, "localhost.example"), Vec::<IpAddr>::new());
}

#[test]
fn localhost_has_both_loopbacks_unless_the_file_means_somebody_else() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("hosts");
    for (text, expected) in [
        ("127.0.0.1 localhost", "127.0.0.1 ::1"),
        ("::1 localhost", "::1 127.0.0.1"),
        ("127.0.0.2 localhost", "127.0.0.2 ::1"),
        ("10.0.0.5 localhost", "10.0.0.5"),
        ("10.0.0.5 localhost\n::1 localhost", "10.0.0.5 ::1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let found = look_up(&file, "localhost");
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }
}
