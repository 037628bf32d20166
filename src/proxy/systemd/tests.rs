use std::os::unix::net::UnixDatagram;

use super::*;

fn variables<'a>(pid: &'a str, fds: &'a str, names: Option<&'a str>) -> ListenVariables<'a> {
    ListenVariables { pid: Some(pid), fds: Some(fds), names }
}

#[test]
fn passed_sockets_are_counted_from_three_and_named() {
    let check = |variables, expected: Result<&[(RawFd, &str)], ListenError>| {
        let expected = expected
            .map(|fds| fds.iter().map(|(fd, name)| (*fd, (*name).to_owned())).collect::<Vec<_>>());
        assert_eq!(listen_fds(variables, 42), expected, "{variables:?}");
    };
    check(ListenVariables::default(), Ok(&[]));
    check(ListenVariables { pid: Some("42"), ..Default::default() }, Ok(&[]));
    check(variables("42", "2", Some("http:https")), Ok(&[(3, "http"), (4, "https")]));
    check(variables("42", "2", None), Ok(&[(3, "unknown"), (4, "unknown")]));
    check(variables("42", "0", Some("")), Ok(&[]));
    check(variables("41", "2", None), Ok(&[]));
    check(variables("", "2", None), Err(ListenError::NotANumber("LISTEN_PID")));
    check(variables("42", "-1", None), Err(ListenError::NotANumber("LISTEN_FDS")));
    check(variables("42", "99999", None), Err(ListenError::TooMany));
    check(variables("42", "2", Some("http")), Err(ListenError::Names));
    check(variables("42", "1", Some("http:https")), Err(ListenError::Names));
}

#[test]
fn notifications_read_as_systemd_wants_them() {
    let states = [State::Ready, State::Status("10 listeners\nSTOPPING=1".into())];
    assert_eq!(message(&states, 5), "READY=1\nSTATUS=10 listeners STOPPING=1\n");
    assert_eq!(message(&[State::Reloading], 5), "RELOADING=1\nMONOTONIC_USEC=5\n");
    assert_eq!(message(&[State::Stopping], 5), "STOPPING=1\n");
    assert_eq!(message(&[State::MainPid(7)], 5), "MAINPID=7\n");
}

fn receive(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let len = socket.recv(&mut buffer).expect("a notification comes");
    String::from_utf8_lossy(&buffer[..len]).into_owned()
}

#[test]
fn notifications_arrive_at_paths_and_abstract_names() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    notify(path.as_os_str(), &[State::Ready]).expect("it is sent");
    assert_eq!(receive(&socket), "READY=1\n");

    let name = format!("meshctl-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let socket = UnixDatagram::bind_addr(&address).expect("a socket");
    notify(format!("@{name}").as_ref(), &[State::MainPid(9)]).expect("it is sent");
    assert_eq!(receive(&socket), "MAINPID=9\n");

    let refused = notify("relative".as_ref(), &[State::Ready]);
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::InvalidInput));
}

#[test]
fn the_monotonic_time_moves_on_and_is_not_the_epoch() {
    let first = monotonic_usec();
    assert!(first > 0 && monotonic_usec() >= first);
    assert!(u128::from(first) < crate::clock::since_epoch().as_micros());
}

/// One test for both, because descriptors are taken once in a process.
#[test]
fn a_descriptor_that_was_not_passed_is_refused_and_a_second_taking_too() {
    let refused = take_fds(vec![(987_654, "http".into())]);
    assert_eq!(refused.map_err(|error| error.kind()).err(), Some(ErrorKind::NotFound));
    let again = take_fds(Vec::new());
    assert_eq!(again.map_err(|error| error.kind()).err(), Some(ErrorKind::AlreadyExists));
}
