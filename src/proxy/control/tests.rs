use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Mutex;

use super::*;
use crate::{limits, names};

const WAIT: Duration = Duration::from_secs(20);

/// Notes what it is told.
#[derive(Default)]
struct Fake {
    told: Mutex<Vec<String>>,
}

impl Fake {
    fn note(&self, text: String) {
        self.told.lock().expect("no panic holds it").push(text);
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().expect("no panic holds it"))
    }
}

impl Control for Fake {
    fn status(&self) -> Value {
        json!({ "generation": 3 })
    }

    fn endpoints(&self) -> Vec<EndpointCounts> {
        Vec::new()
    }

    fn failures(&self, after: u64) -> Failures {
        Failures { last: after + 1, ..Failures::default() }
    }

    fn report(&self) -> Report {
        Report { born: 3, ..Report::default() }
    }

    fn route(&self, route: &ObjectKey) -> ServedRoute {
        self.note(format!("route {route}"));
        ServedRoute { sources: vec!["/shop".into()], rules: vec![ServedRule::default()] }
    }

    fn explain(&self, asked: &Asked, most: usize) -> Option<Told> {
        self.note(format!("explain {} {}, {most}", asked.method, asked.url));
        None
    }

    fn config(&self) -> Value {
        json!({ "parts": "x".repeat(2 * 1024 * 1024) })
    }

    fn drain(&self, within: Option<Duration>) {
        self.note(format!("drain {within:?}"));
    }

    async fn reload(&self) -> Result<Value, String> {
        self.note("reload".into());
        Err("broken".into())
    }

    fn set_log_level(&self, level: &str) -> Result<(), String> {
        self.note(format!("log {level}"));
        if level == "loud" { Err("there is no level `loud`".into()) } else { Ok(()) }
    }
}

fn open(path: &Path) -> Arc<Fake> {
    let door = ControlDoor::bind(path, Existing::Refuse).expect("the door opens");
    let fake = Arc::new(Fake::default());
    tokio::spawn(door.serve(fake.clone()));
    fake
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

fn kind<T>(result: io::Result<T>) -> Option<io::ErrorKind> {
    result.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_proxy_is_asked_and_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run/proxy-1.sock");
    let fake = open(&path);
    let told = async |method, target: &str| {
        let (status, body) = ask(&path, method, target, WAIT).await.expect("an answer");
        (status.as_u16(), String::from_utf8_lossy(&body).into_owned())
    };
    let (status, body) = told(Method::GET, "/status").await;
    assert_eq!((status, body.as_str()), (200, "{\n  \"generation\": 3\n}\n"));
    assert!(told(Method::GET, "/config").await.1.len() > 2 * 1024 * 1024);
    assert!(told(Method::GET, "/failures").await.1.contains("\"last\": 1"));
    assert!(told(Method::GET, "/failures?after=7").await.1.contains("\"last\": 8"));
    assert_eq!(told(Method::GET, "/failures?after=x").await.0, 422);
    assert_eq!(told(Method::POST, "/drain").await.0, 202);
    assert_eq!(told(Method::POST, "/drain?seconds=5").await.0, 202);
    assert_eq!(told(Method::POST, "/drain?seconds=-5").await.0, 422);
    let (status, body) = told(Method::POST, "/reload").await;
    assert_eq!(status, 422);
    assert!(body.contains("\"error\": \"broken\""), "{body}");
    assert_eq!(told(Method::POST, "/log-level?level=meshctl=debug,h2=info").await.0, 200);
    assert_eq!(told(Method::POST, "/log-level?level=loud").await.0, 422);
    assert_eq!(told(Method::POST, "/log-level").await.0, 422);
    assert_eq!(
        fake.told(),
        ["drain None", "drain Some(5s)", "reload", "log meshctl=debug,h2=info", "log loud"]
    );
    for target in ["/drain", "/reload", "/log-level?level=info"] {
        assert_eq!(told(Method::GET, target).await.0, 405, "{target}: GET changes nothing");
    }
    assert_eq!(told(Method::GET, "/route?kind=Service&namespace=a&name=b").await.0, 422);
    assert_eq!(told(Method::GET, "/route?kind=HTTPRoute&namespace=a").await.0, 422);
    let route = ObjectKey::new(Store::Files, Kind::GrpcRoute, "a", "b");
    let served = ask_route(&path, &route, WAIT).await.expect("an answer");
    assert_eq!((served.sources.as_slice(), served.rules.len()), (&["/shop".to_owned()][..], 1));
    assert_eq!(fake.told(), ["route GRPCRoute a/b"]);
    let (status, body) =
        told(Method::GET, "/explain?method=GET&url=http%3A%2F%2Fa%2F&most=3").await;
    assert!(status == 422 && body.contains("nothing is served yet"), "{body}");
    assert_eq!(fake.told(), ["explain GET http://a/, 3"]);
    let (status, body) = told(Method::GET, "/explain?method=GET&url=nothing").await;
    assert!(status == 422 && body.contains("doesn't begin with http"), "{body}");
    assert_eq!(told(Method::GET, "/explain").await.0, 422);
    assert_eq!(told(Method::POST, "/status").await.0, 405);
    assert_eq!(told(Method::GET, "/").await.0, 404);
    assert!(fake.told().is_empty());
}

#[tokio::test]
async fn the_socket_is_its_owners_alone_and_goes_with_the_door() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = directory.path().join("state/run");
    let path = run.join("proxy-1.sock");
    let door = ControlDoor::bind(&path, Existing::Refuse).expect("the door opens");
    assert_eq!((mode(&run), mode(&path)), (0o700, 0o600));
    assert_eq!(fs::read_dir(&run).expect("a directory").count(), 1, "nothing is left beside it");
    drop(door);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_directory_of_others_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = directory.path().join("run");
    fs::create_dir(&run).expect("a directory");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = run.join("proxy-1.sock");
    let refused = ControlDoor::bind(&path, Existing::Refuse);
    assert_eq!(kind(refused), Some(io::ErrorKind::PermissionDenied));
    assert_eq!(mode(&run), 0o755);

    fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let link = directory.path().join("link");
    symlink(&run, &link).expect("a link");
    let refused = ControlDoor::bind(&link.join("proxy-1.sock"), Existing::Refuse);
    assert_eq!(kind(refused), Some(io::ErrorKind::PermissionDenied), "links lead elsewhere later");

    fs::write(&path, "somebody's").expect("a file");
    let refused = ControlDoor::bind(&path, Existing::Refuse);
    assert_eq!(kind(refused), Some(io::ErrorKind::AlreadyExists));
    assert_eq!(fs::read(&path).expect("the file is there"), b"somebody's");
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_live_one_only_on_demand() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("proxy.sock");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).expect("it is ours");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket that nobody listens on"));
    assert!(path.exists());
    let old = ControlDoor::bind(&path, Existing::Refuse).expect("a stale socket is no hindrance");
    let second = ControlDoor::bind(&path, Existing::Refuse);
    assert_eq!(kind(second), Some(io::ErrorKind::AddrInUse));
    let new = ControlDoor::bind(&path, Existing::Replace).expect("a successor takes the name over");
    drop(old);
    assert!(path.exists(), "the old one takes only its own file away");
    tokio::spawn(new.serve(Arc::new(Fake::default())));
    ask(&path, Method::GET, "/status", WAIT).await.expect("the new one answers");
}

#[tokio::test]
async fn a_path_may_be_longer_than_an_address_has_room() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("deep/".repeat(40)).join("run/proxy-1.sock");
    assert!(path.as_os_str().len() > 200);
    open(&path);
    ask(&path, Method::GET, "/status", WAIT).await.expect("an answer");
    let found = find(&[path.parent().expect("it has one").into()]);
    assert_eq!(found, [Proxy { socket: path, pid: Some(std::process::id()) }]);
}

#[tokio::test]
async fn proxies_are_found_and_dead_ones_swept_away() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = directory.path().join("run");
    let path = |name: &str| run.join(format!("{name}{}", names::CONTROL_SOCKET_SUFFIX));
    open(&path("b"));
    open(&path("a"));
    drop(std::os::unix::net::UnixListener::bind(path("dead")).expect("a socket"));
    fs::write(path("file"), "").expect("a file");
    fs::write(run.join("other"), "").expect("a file");
    let found = find(&[run.clone(), run.join("missing"), run.clone()]);
    let found: Vec<_> = found.into_iter().map(|proxy| proxy.socket).collect();
    assert_eq!(found, [path("a"), path("b")]);
    assert!(!path("dead").exists());
    assert!(path("file").exists());
}

#[tokio::test]
async fn a_registered_proxy_is_found_from_anywhere() {
    let directory = tempfile::tempdir().expect("a directory");
    let (known, there) = (directory.path().join("known"), directory.path().join("shop/run"));
    let path = there.join(format!("proxy{}", names::CONTROL_SOCKET_SUFFIX));
    let links = || fs::read_dir(&known).expect("a directory").count();
    open(&path);
    let here = register(&there, &path).expect("it can be made known");
    assert!(here.is_none(), "it stands there already");
    let first = register(&known, &path).expect("it can be made known").expect("it is elsewhere");
    assert_eq!((mode(&known), links()), (0o700, 1));
    let found = find(&[known.clone(), there.clone()]);
    assert_eq!(found, [Proxy { socket: path.clone(), pid: Some(std::process::id()) }]);

    // Who takes over has the same socket; the former one's end takes nothing away.
    let second = register(&known, &path).expect("it can be made known").expect("it is elsewhere");
    drop(first);
    assert_eq!((links(), find(std::slice::from_ref(&known)).len()), (1, 1));
    drop(second);
    assert_eq!((links(), find(&[known]).len()), (0, 0));
}

#[tokio::test]
async fn links_that_lead_nowhere_are_swept_away_and_others_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = directory.path().join("run");
    let to = |name: &str| run.join(format!("{name}{}", names::CONTROL_SOCKET_SUFFIX));
    open(&to("alive"));
    let dead = directory.path().join("dead");
    drop(std::os::unix::net::UnixListener::bind(&dead).expect("a socket"));
    let file = directory.path().join("file");
    fs::write(&file, "").expect("a file");
    symlink(&dead, to("to-dead")).expect("a link");
    symlink("/nowhere/at/all", to("to-nothing")).expect("a link");
    symlink(file.join("below"), to("to-no-directory")).expect("a link");
    symlink(&file, to("to-file")).expect("a link");
    let found: Vec<_> =
        find(std::slice::from_ref(&run)).into_iter().map(|one| one.socket).collect();
    assert_eq!(found, [to("alive")]);
    let is_there = |name: &str| fs::symlink_metadata(to(name)).is_ok();
    assert!(!is_there("to-dead") && !is_there("to-nothing") && !is_there("to-no-directory"));
    assert!(is_there("to-file"), "it is nothing of ours");

    // Another user's link is not followed, and not removed. Only root can make one.
    if rustix::process::geteuid().is_root() {
        let socket = directory.path().join("live");
        let _live = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        symlink(&socket, to("mixed")).expect("a link");
        std::os::unix::fs::lchown(to("mixed"), Some(1), None).expect("root may");
        assert_eq!(find(std::slice::from_ref(&run)).len(), 1, "it leads to what isn't its owner's");
        assert!(is_there("mixed"));
    }
}

#[tokio::test]
async fn who_asks_nobody_is_told_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("proxy.sock");
    let ask = async |path: &Path, wait| ask(path, Method::GET, "/status", wait).await;
    assert!(matches!(ask(&path, WAIT).await, Err(AskError::NotRunning)));
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    assert!(matches!(ask(&path, WAIT).await, Err(AskError::NotRunning)));
    fs::remove_file(&path).expect("it is there");

    let silent = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    let silence = ask(&path, Duration::from_millis(50)).await;
    assert!(matches!(silence, Err(AskError::TimedOut)), "{silence:?}");
    let answers = std::thread::spawn(move || {
        use std::io::Write;
        let (_first, _) = silent.accept().expect("the first is there");
        let (mut stream, _) = silent.accept().expect("a second comes");
        let _ = stream.write_all(b"no HTTP at all\r\n\r\n");
    });
    let broken = ask(&path, WAIT).await;
    assert!(matches!(broken, Err(AskError::Broken(_))), "{broken:?}");
    answers.join().expect("it ends");
}

#[tokio::test]
async fn silent_clients_keep_no_command_waiting() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run/proxy.sock");
    open(&path);
    let mut silent = Vec::new();
    for _ in 0..2 * limits::DOOR_CONNECTIONS {
        silent.push(UnixStream::connect(&path).await.expect("a connection"));
    }
    let wait = limits::DOOR_HEAD_TIMEOUT / 2;
    ask(&path, Method::GET, "/status", wait).await.expect("an answer");
}
