use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::rc::Rc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::clock;
use crate::model::{Address, Cause, Kind, ObjectKey, PartKey, PartKind, Store};
use crate::telemetry::{
    EndpointSeries, Family, Inline, RecordFlags, Registry, RouteNames, RouteSeries, SampleValue,
};

const LONG: Duration = Duration::from_secs(20);

fn record() -> Record {
    let metrics = Registry::new().worker();
    let names = RouteNames {
        gateway: "infra/edge".into(),
        listener: "https".into(),
        route: "shop/cart".into(),
        rule: "pay".into(),
        backend: "shop/cart:80".into(),
    };
    let service = ObjectKey::new(Store::Files, Kind::Service, "shop", "cart");
    let backend = PartKey::new(PartKind::Backend, service, "80");
    let address = Address::Socket(([10, 0, 0, 1], 8080).into());
    Record {
        visited: 5,
        connection: 7,
        request_id: Inline::new(b"8f1c"),
        trace: Some(([0xab; 16], [0x01; 8])),
        generation: 3,
        started: Duration::new(1_795_460_139, 250_000_000),
        client: Some(SocketAddr::from(([203, 0, 113, 9], 40_000))),
        route: Some(Rc::new(RouteSeries::new(&metrics, names))),
        endpoint: Some(Rc::new(EndpointSeries::new(&metrics, &backend, &address))),
        method: Inline::new(b"GET"),
        host: Inline::new(b"shop.example"),
        path: Inline::new(b"/cart"),
        user_agent: Inline::new(b"curl/8"),
        status: 504,
        cause: Some(Cause::BackendRequestTimeout),
        version: http::Version::HTTP_2,
        upstream_version: Some(http::Version::HTTP_11),
        request_body: 12,
        response_body: 345,
        head: Some(Duration::from_micros(80)),
        queue: None,
        connect: Some(Duration::from_micros(1500)),
        first_byte: None,
        total: Duration::from_millis(2003),
        attempts: 2,
        tries: Vec::new(),
        reason: None,
        flags: RecordFlags { tls: true, retried: true, ..RecordFlags::default() },
        log: Some(AccessLogFormat::Json),
    }
}

fn json_line(record: &Record) -> String {
    let mut line = Vec::new();
    json::push_line(&mut line, record);
    String::from_utf8(line).expect("JSON is UTF-8")
}

fn text_line(record: &Record) -> String {
    let mut line = Vec::new();
    text::push_line(&mut line, record);
    String::from_utf8(line).expect("what is no UTF-8 is escaped")
}

#[test]
fn a_line_in_json() {
    let expected = concat!(
        r#"{"timestamp":"2026-11-23T18:55:39.250000Z","http.request.method":"GET","#,
        r#""url.scheme":"https","server.address":"shop.example","url.path":"/cart","#,
        r#""http.response.status_code":504,"error.type":"backend_request_timeout","#,
        r#""http.request.body.size":12,"http.response.body.size":345,"#,
        r#""network.protocol.version":"2","client.address":"203.0.113.9","client.port":40000,"#,
        r#""user_agent.original":"curl/8","trace_id":"abababababababababababababababab","#,
        r#""span_id":"0101010101010101","meshctl.request_id":"8f1c","meshctl.connection":7,"#,
        r#""meshctl.gateway":"infra/edge","meshctl.listener":"https","#,
        r#""meshctl.route":"shop/cart","meshctl.rule":"pay","meshctl.backend":"shop/cart:80","#,
        r#""meshctl.endpoint":"10.0.0.1:8080","meshctl.upstream.protocol.version":"1.1","#,
        r#""meshctl.attempts":2,"meshctl.retried":true,"meshctl.generation":3,"#,
        r#""http.server.request.duration":2.003000,"meshctl.duration.head":0.000080,"#,
        r#""meshctl.duration.connect":0.001500}"#,
        "\n"
    );
    assert_eq!(json_line(&record()), expected);
}

#[test]
fn a_line_as_text() {
    let expected = concat!(
        r#"203.0.113.9 - - [23/Nov/2026:18:55:39 +0000] "GET /cart HTTP/2" 504 345 "-" "curl/8" "#,
        r#"host="shop.example" gateway="infra/edge" listener="https" route="shop/cart" "#,
        r#"backend="shop/cart:80" endpoint="10.0.0.1:8080" cause="backend_request_timeout" "#,
        r#"attempts=2 total=2.003000 connect=0.001500 id="8f1c""#,
        "\n"
    );
    assert_eq!(text_line(&record()), expected);
}

#[test]
fn a_request_of_which_nothing_is_known_has_a_line() {
    let line: Value = serde_json::from_str(&json_line(&Record::default())).expect("JSON");
    assert_eq!(line["timestamp"], "1970-01-01T00:00:00.000000Z");
    assert_eq!(line.get("http.response.status_code"), None);
    assert!(text_line(&Record::default()).starts_with("- - - [01/Jan/1970:00:00:00 +0000] \"- - "));
}

#[test]
fn what_was_cut_is_marked() {
    let long = vec![b'a'; limits::RECORD_PATH_BYTES + 1];
    let record = Record { path: Inline::new(&long), ..record() };
    let line: Value = serde_json::from_str(&json_line(&record)).expect("JSON");
    let expected = format!("{}…", "a".repeat(limits::RECORD_PATH_BYTES));
    assert_eq!(line["url.path"], expected.as_str());
    assert!(text_line(&record).contains(&format!("GET {expected} HTTP/2")));
}

/// Bytes that attackers like, more often than by chance.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n{\"forged\":true}\n".to_vec()),
        Just(b"\x1b]0;x\x07".to_vec()),
        Just(b"\",\"url.path\":\"/".to_vec()),
        Just(b"\\".to_vec()),
        Just("\u{9b}\u{2028}\u{202e}".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_request_forges_a_line(
        path in hostile(), host in hostile(), agent in hostile(), method in hostile(), id in hostile(),
    ) {
        let record = Record {
            path: Inline::new(&path),
            host: Inline::new(&host),
            user_agent: Inline::new(&agent),
            method: Inline::new(&method),
            request_id: Inline::new(&id),
            ..record()
        };
        let check = |line: &str| {
            let inner = line.strip_suffix('\n').expect("a line ends");
            prop_assert!(!inner.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
            prop_assert!(line.len() <= limits::LOG_LINE_BYTES, "{} bytes", line.len());
            Ok(())
        };
        let json = json_line(&record);
        check(&json)?;
        let parsed: Value = serde_json::from_str(&json)?;
        // What was sent stands in its own field and nowhere else.
        prop_assert_eq!(parsed.get("forged"), None);
        if !path.is_empty() {
            let mut expected = String::from_utf8_lossy(record.path.as_bytes()).into_owned();
            if record.path.is_cut() {
                expected.push('…');
            }
            prop_assert_eq!(&parsed["url.path"], expected.as_str());
        }
        prop_assert_eq!(&parsed["meshctl.route"], "shop/cart");

        let text = text_line(&record);
        check(&text)?;
        // Outside of escapes, quotes stand only where the format has them: 6, and 2 per field.
        let bare = text.replace("\\\\", "").replace("\\\"", "");
        prop_assert_eq!(bare.matches('"').count(), 6 + 2 * 8);
    }
}

fn dropped(registry: &Registry) -> u64 {
    let families = registry.collect(clock::now());
    let found = families.iter().find(|family| family.family == Family::LogLinesDropped);
    match found.map(|family| &family.samples[0].value) {
        Some(SampleValue::Count(count)) => *count,
        other => panic!("no counter: {other:?}"),
    }
}

/// A reader that doesn't read: the worker goes on, and what is neither read nor counted as
/// dropped in the end is nothing.
#[test]
fn an_overloaded_log_drops_lines_counts_them_and_never_waits() {
    const LINES: u64 = 30_000;
    let (mut reader, writer) = io::pipe().expect("a pipe");
    let registry = Registry::new();
    let log = start_on(writer, registry.counter(Family::LogLinesDropped, &[]));
    let record = record();
    let mut worker = log.worker();
    for _ in 0..LINES {
        worker.write(AccessLogFormat::Json, &record);
    }
    drop(worker);
    let lost = dropped(&registry);
    assert!(lost > 0, "the lines are more than the queue holds");
    assert!(log.shared.queued.load(Ordering::Relaxed) <= limits::LOG_QUEUE_BYTES);
    let read = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("the pipe is read");
        text
    });
    assert!(log.close(LONG), "once somebody reads, everything is written");
    let text = read.join().expect("the reader ends");
    assert_eq!(text.lines().count() as u64 + lost, LINES);
    assert!(text.lines().all(|line| line.starts_with('{') && line.ends_with('}')));
    assert_eq!(dropped(&registry), lost);
}

#[test]
fn small_flushes_are_bounded_by_the_memory_that_they_hold() {
    let (_reader, writer) = io::pipe().expect("a pipe");
    let registry = Registry::new();
    let log = start_on(writer, registry.counter(Family::LogLinesDropped, &[]));
    let mut worker = log.worker();
    for _ in 0..4 * limits::LOG_QUEUE_CHUNKS {
        worker.write(AccessLogFormat::Text, &Record::default());
        worker.flush();
        assert!(log.shared.queued.load(Ordering::Relaxed) <= limits::LOG_QUEUE_BYTES);
    }
    assert!(dropped(&registry) > 0);
    drop(worker);
    assert!(!log.close(Duration::from_millis(50)), "nobody reads, and the end doesn't wait for it");
}

#[test]
fn a_file_is_appended_to_and_opened_again_after_a_rotation() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, rotated) = (directory.path().join("log"), directory.path().join("log.1"));
    fs::write(&path, "before\n").expect("the file is written");
    let registry = Registry::new();
    let dropped_lines = registry.counter(Family::LogLinesDropped, &[]);
    let log = AccessLog::start(Sink::File(path.clone()), dropped_lines).expect("a log");
    let mut worker = log.worker();
    worker.write(AccessLogFormat::Text, &record());
    worker.flush();
    while log.shared.queued.load(Ordering::Relaxed) > 0 {
        std::thread::yield_now();
    }
    fs::rename(&path, &rotated).expect("the file is rotated");
    log.reopen();
    worker.write(AccessLogFormat::Json, &record());
    drop(worker);
    assert!(log.close(LONG));
    let lines = |path| fs::read_to_string(path).expect("the file is there").lines().count();
    assert_eq!((lines(rotated), lines(path)), (2, 1));
    assert_eq!(dropped(&registry), 0);
}

#[test]
fn a_full_disk_is_counted() {
    let registry = Registry::new();
    let counter = registry.counter(Family::LogLinesDropped, &[]);
    let log = AccessLog::start(Sink::File("/dev/full".into()), counter).expect("a log");
    let mut worker = log.worker();
    worker.write(AccessLogFormat::Text, &record());
    worker.write(AccessLogFormat::Text, &record());
    drop(worker);
    assert!(log.close(LONG));
    assert_eq!(dropped(&registry), 2);
}

/// Takes `room` bytes and then fails once, in the middle of a line.
struct Tearing {
    room: usize,
    written: Arc<std::sync::Mutex<Vec<u8>>>,
}

impl io::Write for Tearing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            self.room = usize::MAX;
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        self.written.lock().expect("no panic holds it").extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_a_torn_line_the_next_one_begins_anew() {
    let written = Arc::default();
    let registry = Registry::new();
    let output = Tearing { room: 10, written: Arc::clone(&written) };
    let log = start_on(output, registry.counter(Family::LogLinesDropped, &[]));
    let mut worker = log.worker();
    for _ in 0..2 {
        worker.write(AccessLogFormat::Json, &record());
        worker.flush();
    }
    drop(worker);
    assert!(log.close(LONG));
    let text = String::from_utf8(written.lock().expect("no panic holds it").clone());
    let text = text.expect("UTF-8");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines, [&json_line(&record())[..10], json_line(&record()).trim_end()]);
    assert_eq!(dropped(&registry), 1);
}
