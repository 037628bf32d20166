//! A service manager as systemd is one: it holds the listening socket, and is told what goes on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use rustix::process::Signal;

use crate::alone;
use crate::origin::Origin;
use crate::process::{Mesh, Proxy, get, wait_until};
use crate::reload::{RULES, Switch};

/// For a debug build on busy cores.
const PATIENCE: Duration = Duration::from_secs(20);

/// The command with the socket as its descriptor 3, in the environment that systemd makes.
fn with_socket(command: &Command, socket: &TcpListener) -> Command {
    let passed = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&0 </dev/null";
    let mut shell = Command::new("sh");
    shell.args(["-c", passed, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.stdin(OwnedFd::from(socket.try_clone().unwrap()));
    shell
}

/// Clients with a connection for each request, who count what is refused, reset or no answer.
struct Clients {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    threads: Vec<std::thread::JoinHandle<Vec<String>>>,
}

impl Clients {
    fn start(address: SocketAddr) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let client = || {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            std::thread::spawn(move || {
                let mut lost = Vec::new();
                while !stop.load(SeqCst) {
                    match get(address) {
                        Ok(answer) if answer.ends_with("hello\n") => answered.fetch_add(1, SeqCst),
                        other => {
                            lost.push(format!("{other:?}"));
                            0
                        }
                    };
                    // So that ports last.
                    std::thread::sleep(Duration::from_millis(1));
                }
                lost
            })
        };
        let threads = (0..4).map(|_| client()).collect();
        Self { stop, answered, threads }
    }

    fn more(&self, answers: usize) {
        let enough = self.answered.load(SeqCst) + answers;
        wait_until("answers", PATIENCE, || self.answered.load(SeqCst) >= enough);
    }

    fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, SeqCst);
        let lost = self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        (self.answered.load(SeqCst), lost)
    }
}

#[test]
fn the_managers_socket_outlives_the_process() {
    let _alone = alone();
    // Every address, as `ListenStream=80` has it, and one alone.
    for bind in ["[::]:0", "0.0.0.0:0", "127.0.0.1:0"] {
        let origin = Origin::start(Duration::ZERO);
        let socket = TcpListener::bind(bind).unwrap();
        let http = SocketAddr::from(([127, 0, 0, 1], socket.local_addr().unwrap().port()));
        let backends = [("origin", origin.address)];
        let mut proxy =
            Proxy::prepare_at(http, &Mesh { settings: "", rules: RULES, backends: &backends });
        // Who comes before the process waits for it.
        let mut early = [(); 3].map(|()| TcpStream::connect(http).unwrap());
        for stream in &mut early {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        }
        proxy.serve(proxy.run_as(|command| with_socket(&command, &socket)));
        for mut stream in early {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.ends_with("hello\n"), "{bind}: {answer}");
        }
        let clients = Clients::start(http);
        for _ in 0..2 {
            clients.more(100);
            proxy.stop();
            // Nobody accepts now: who comes waits in the manager's queue.
            std::thread::sleep(Duration::from_millis(100));
            proxy.serve(proxy.run_as(|command| with_socket(&command, &socket)));
        }
        clients.more(100);
        let (answered, lost) = clients.end();
        println!("{bind}: {} of {answered} lost over 2 restarts", lost.len());
        assert!(lost.is_empty(), "{bind}: {lost:?}\n{}", proxy.log());
    }
}

/// A listener that is taken out and put back finds its socket again: the manager still holds it,
/// so that nobody can bind the address anew.
#[test]
fn a_listener_that_comes_back_finds_the_managers_socket() {
    let _alone = alone();
    let origin = Origin::start(Duration::ZERO);
    let socket = TcpListener::bind("[::]:0").unwrap();
    let http = SocketAddr::from(([127, 0, 0, 1], socket.local_addr().unwrap().port()));
    let backends = [("origin", origin.address)];
    let mut proxy =
        Proxy::prepare_at(http, &Mesh { settings: "", rules: RULES, backends: &backends });
    let gateway = proxy.gateway("", false);
    let without: String = gateway
        .lines()
        .filter(|line| !line.contains("name: http,"))
        .fold(String::new(), |all, line| all + line + "\n");
    // Not there at first, there, gone, there.
    proxy.write("gateway.yaml", &without);
    proxy.serve(proxy.run_as(|command| with_socket(&command, &socket)));
    for _ in 0..2 {
        let generation = proxy.metric("meshctl_config_generation");
        proxy.write("gateway.yaml", &gateway);
        wait_until("the listener", PATIENCE, || {
            proxy.metric("meshctl_config_generation") > generation
        });
        assert!(get(http).unwrap().ends_with("hello\n"), "{}", proxy.log());
        let generation = proxy.metric("meshctl_config_generation");
        proxy.write("gateway.yaml", &without);
        wait_until("its end", PATIENCE, || proxy.metric("meshctl_config_generation") > generation);
    }
}

/// The manager's ear.
struct Notifications(UnixDatagram);

impl Notifications {
    fn new(proxy: &Proxy) -> Self {
        let socket = UnixDatagram::bind(proxy.folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn tell<'a>(proxy: &Proxy, command: &'a mut Command) -> &'a mut Command {
        command.env("NOTIFY_SOCKET", proxy.folder.path().join("notify"))
    }

    fn next(&self) -> String {
        let mut buffer = [0; 1024];
        let length = self.0.recv(&mut buffer).expect("a notification in time");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// What has come, without waiting.
    fn rest(&self) -> Vec<String> {
        self.0.set_nonblocking(true).unwrap();
        let mut all = Vec::new();
        let mut buffer = [0; 1024];
        while let Ok(length) = self.0.recv(&mut buffer) {
            all.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        self.0.set_nonblocking(false).unwrap();
        all
    }
}

#[test]
fn the_manager_is_told_when_it_is_so() {
    let _alone = alone();
    let Some(Switch { origins, addresses: [first, second], file, mut proxy }) = Switch::new()
    else {
        return;
    };
    let manager = Notifications::new(&proxy);
    proxy.serve(proxy.run_as(|mut command| {
        Notifications::tell(&proxy, &mut command);
        command
    }));
    assert_eq!(manager.next(), "READY=1\n");
    for (number, (old, new)) in [(1, (&first, &second)), (0, (&second, &first))] {
        let before = origins[number].counts.requests.load(SeqCst);
        file.poke(old, new);
        proxy.signal(Signal::HUP);
        let reloading = manager.next();
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        assert_eq!(manager.next(), "READY=1\n");
        // Not before: `systemctl reload` returns now.
        get(proxy.http).unwrap();
        assert_eq!(origins[number].counts.requests.load(SeqCst), before + 1, "ready too early");
    }
    proxy.stop();
    assert_eq!(manager.rest(), ["STOPPING=1\n"]);
}

/// The service goes on in another process: who ends says so, and not that the service stops.
#[test]
fn the_manager_is_told_of_a_takeover() {
    let _alone = alone();
    let origin = Origin::start(Duration::ZERO);
    let backends = [("origin", origin.address)];
    let mut proxy = Proxy::prepare(&Mesh { settings: "", rules: RULES, backends: &backends });
    let manager = Notifications::new(&proxy);
    proxy.serve(proxy.run_as(|mut command| {
        Notifications::tell(&proxy, &mut command);
        command
    }));
    assert_eq!(manager.next(), "READY=1\n");
    proxy.take_over();
    proxy.wait_for_former();
    assert_eq!(manager.rest(), [format!("MAINPID={}\n", proxy.running().pid())]);
    assert!(get(proxy.http).unwrap().ends_with("hello\n"));
}
