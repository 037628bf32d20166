use super::*;

#[test]
fn a_question_comes_back_as_it_went() {
    let question = Question {
        method: "GET".to_owned(),
        url: "https://shop.example:8443/a%2Fb?x=1&y=%20#ü".to_owned(),
        headers: vec!["x-user: a&b=c".to_owned(), "x-user: +%zz\t😀".to_owned()],
        server_name: Some("other.example".to_owned()),
        most: 7,
    };
    let target = question.target().expect("it is short");
    let (path, query) = target.split_once('?').expect("it has a query");
    assert_eq!(path, Question::PATH);
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{target}");
    assert_eq!(Question::read(query), Ok(question));
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..1_000 {
        let text: String = (0..rng.usize(..20)).map(|_| rng.char(..)).collect();
        let question = Question { url: text, ..Question::default() };
        let target = question.target().expect("it is short");
        let (_, query) = target.split_once('?').expect("it has a query");
        assert_eq!(Question::read(query), Ok(question));
    }
}

#[test]
fn what_no_command_asks_is_refused_or_passed_over() {
    for query in ["url=%", "url=%2", "url=%zz", "url=%+1", "url=%ff", "url=a%é1"] {
        assert!(Question::read(query).is_err(), "{query}");
    }
    let read = Question::read("colour=red&method=GET&&most=many&url");
    assert_eq!(read, Ok(Question { method: "GET".to_owned(), ..Question::default() }));
}

#[test]
fn what_a_door_does_not_read_is_not_sent() {
    let question = |length| Question { url: "x".repeat(length), ..Question::default() };
    assert!(question(limits::DOOR_HEAD_BYTES / 4).target().is_ok());
    assert!(question(limits::DOOR_HEAD_BYTES).target().is_err());
}
