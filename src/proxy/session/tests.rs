use super::*;
use crate::model::{BackendPolicy, PartKind, SessionCookie};
use crate::proxy::registry::fixture::{Process, address, fail_in_a_row, key};

const NOW: Duration = Duration::from_secs(1_800_000_000);

fn later(seconds: u64) -> Duration {
    NOW + Duration::from_secs(seconds)
}

fn by_cookie(permanent: bool) -> SessionPersistence {
    SessionPersistence {
        name: "sid".into(),
        cookie: Some(SessionCookie { permanent }),
        absolute_timeout: Some(Duration::from_secs(3_600)),
        idle_timeout: None,
    }
}

fn by_header() -> SessionPersistence {
    SessionPersistence { name: "X-Session".into(), cookie: None, ..by_cookie(false) }
}

fn cart() -> BackendId {
    BackendId::new(&key(PartKind::Rule, "route"), &key(PartKind::Backend, "cart"))
}

fn session() -> Session {
    Session::new(cart(), &address(1), NOW)
}

fn request(fields: &[(&str, &str)]) -> Fields {
    let mut all = Fields::new();
    fields.iter().for_each(|(name, value)| all.push(name.as_bytes(), value.as_bytes()));
    all
}

fn announced(persistence: &SessionPersistence, secure: bool, now: Duration) -> String {
    let mut fields = Fields::new();
    session().announce(persistence, secure, now, &mut fields);
    let field = |(name, value): (&[u8], &[u8])| [name, b": ", value].concat();
    String::from_utf8(fields.iter().flat_map(field).collect()).expect("text")
}

#[test]
fn a_token_is_read_as_it_was_written() {
    for seed in 0..1_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let session = Session {
            backend: BackendId(rng.u64(..)),
            endpoint: rng.u64(..),
            started: rng.u32(..),
            seen: rng.u32(..),
        };
        assert_eq!(Session::decode(session.encode().as_bytes()), Some(session));
    }
}

#[test]
fn what_is_no_token_is_nothing() {
    let token = session().encode();
    for length in 0..token.as_bytes().len() {
        assert_eq!(Session::decode(&token.as_bytes()[..length]), None, "cut at {length}");
    }
    assert_eq!(Session::decode(format!("{token}A").as_bytes()), None);
    for byte in (0..=255_u8).filter(|byte| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte)) {
        let mut broken = token.as_bytes().to_vec();
        broken[7] = byte;
        assert_eq!(Session::decode(&broken), None, "{byte}");
    }
}

#[test]
fn a_token_survives_releases() {
    assert_eq!(session().encode().to_string(), "SN67mXbzyNkN_Onv00m0KGtJ0gBrSdIA");
}

#[test]
fn rules_and_backends_share_no_sessions() {
    let id = |rule, backend| {
        BackendId::new(&key(PartKind::Rule, rule), &key(PartKind::Backend, backend))
    };
    assert_eq!(id("route", "cart"), cart());
    assert_ne!(id("other", "cart"), cart());
    assert_ne!(id("route", "pay"), cart());
}

#[test]
fn a_request_brings_its_sessions_by_cookie_or_header() {
    let token = session().encode().to_string();
    let brings = |persistence: &SessionPersistence, fields: &[(&str, &str)], count: usize| {
        let fields = request(fields);
        let found: Vec<_> = Session::of_request(persistence, &fields, later(1)).collect();
        assert_eq!(found, vec![session(); count], "{fields:?}");
    };
    let cookie = format!("a=b; sid={token}");
    let both = format!("sid=from-the-application; sid={token}; sid={token}");
    brings(&by_cookie(false), &[("cookie", &cookie)], 1);
    brings(&by_cookie(false), &[("cookie", &both)], 2);
    brings(&by_cookie(false), &[("x-session", &token), ("sid", &token)], 0);
    brings(&by_header(), &[("X-Session", &token)], 1);
    brings(&by_header(), &[("cookie", &cookie)], 0);
}

#[test]
fn sessions_end_by_either_timeout() {
    let check = |absolute: Option<u64>, idle: Option<u64>, seen: u64, at: u64, live: bool| {
        let persistence = SessionPersistence {
            absolute_timeout: absolute.map(Duration::from_secs),
            idle_timeout: idle.map(Duration::from_secs),
            ..by_cookie(false)
        };
        let session = Session { seen: seconds(later(seen)), ..session() };
        assert_eq!(session.is_live(&persistence, later(at)), live, "{persistence:?} {seen} {at}");
    };
    check(None, None, 0, 1_000_000, true);
    check(Some(60), None, 0, 59, true);
    check(Some(60), None, 0, 60, false);
    check(Some(60), None, 59, 60, false);
    check(None, Some(60), 0, 59, true);
    check(None, Some(60), 0, 60, false);
    check(None, Some(60), 50, 109, true);
    check(Some(100), Some(60), 50, 100, false);
    // A clock that is behind by a little is forgiven, a forged future is not.
    check(None, None, 60, 0, true);
    check(None, None, 61, 0, false);
}

#[test]
fn idle_sessions_are_refreshed_now_and_then() {
    let idle = |timeout| SessionPersistence {
        idle_timeout: Some(Duration::from_secs(timeout)),
        ..by_cookie(false)
    };
    assert_eq!(session().refreshed(&by_cookie(false), later(900)), None, "no idle timeout");
    assert_eq!(session().refreshed(&idle(600), later(59)), None);
    let refreshed = session().refreshed(&idle(600), later(60)).expect("is stale");
    assert_eq!(refreshed, Session { seen: seconds(later(60)), ..session() });
    assert!(refreshed.is_live(&idle(600), later(659)));
    assert_eq!(session().refreshed(&idle(1), later(0)), None);
    assert!(session().refreshed(&idle(5), later(1)).is_some());
}

#[test]
fn the_answer_carries_the_session() {
    let token = session().encode();
    let cookie = format!("set-cookie: sid={token}; Path=/; HttpOnly; SameSite=Lax");
    assert_eq!(announced(&by_cookie(false), false, NOW), cookie);
    assert_eq!(announced(&by_cookie(false), true, NOW), format!("{cookie}; Secure"));
    assert_eq!(announced(&by_cookie(true), false, NOW), format!("{cookie}; Max-Age=3600"));
    assert_eq!(
        announced(&by_cookie(true), true, later(600)),
        format!("{cookie}; Secure; Max-Age=3000"),
        "a refreshed cookie ends when the session does"
    );
    assert_eq!(announced(&by_header(), true, NOW), format!("x-session: {token}"));
}

#[test]
fn a_session_finds_its_endpoint_while_it_serves() {
    let process = Process::start();
    let start = process.seconds(0);
    let group = process.worker(BackendPolicy::standard(), &[1, 0, 1, 1]);
    let find = |number, now| Session::new(cart(), &address(number), NOW).find(&group, now);
    for number in 0..4 {
        // Weight 0 too: sessions outlive it.
        assert_eq!(find(number, start), Some(number));
    }
    assert_eq!(find(9, start), None, "no longer in the list");
    fail_in_a_row(&group, 2, start);
    assert_eq!(find(2, start), None, "out");
    assert_eq!(find(2, process.seconds(10)), Some(2), "back");
}
