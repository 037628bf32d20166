//! A Backend by name: the process asks a name server on port 53 as on any machine, in a mount
//! namespace of its own whose /etc/resolv.conf names ours.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::alone;
use crate::origin::Origin;
use crate::process::{Mesh, Proxy, get, wait_until};
use crate::reload::RULES;

/// A second for the answer's time to live, the rest for a debug build on busy cores.
const PATIENCE: Duration = Duration::from_secs(20);
const NAME: &str = "shop.test";

/// Answers for A with what it is told, after RFC 1035 §4; `None` is SERVFAIL.
struct NameServer {
    address: Ipv4Addr,
    says: Arc<Mutex<Option<Vec<Ipv4Addr>>>>,
}

impl NameServer {
    /// `None` where port 53 is not for us.
    fn start() -> Option<Self> {
        // One of millions, so that nobody else's is in the way.
        let [b, c, d] = [(); 3].map(|()| fastrand::u8(1..255));
        let address = Ipv4Addr::new(127, b, c, d);
        let socket = UdpSocket::bind((address, 53)).ok()?;
        let says = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&says);
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let answer = answer(&buffer[..length], shared.lock().unwrap().as_deref());
                let _ = socket.send_to(&answer, from);
            }
        });
        Some(Self { address, says })
    }

    fn says(&self, addresses: Option<&[SocketAddr]>) {
        let v4 = |address: &SocketAddr| match address.ip() {
            std::net::IpAddr::V4(ip) => ip,
            std::net::IpAddr::V6(ip) => panic!("{ip}"),
        };
        *self.says.lock().unwrap() = addresses.map(|some| some.iter().map(v4).collect());
    }
}

fn answer(question: &[u8], says: Option<&[Ipv4Addr]>) -> Vec<u8> {
    // One question follows the header: labels, a zero, type and class.
    let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let is_a = question[end - 4..end - 2] == [0, 1];
    let addresses = says.filter(|_| is_a).unwrap_or_default();
    let count = u16::try_from(addresses.len()).unwrap();
    let mut out = question[..2].to_vec();
    // A response, authoritative, recursion available; SERVFAIL is 2.
    out.extend([0x85, if says.is_some() { 0x80 } else { 0x82 }, 0, 1]);
    out.extend(count.to_be_bytes());
    out.extend([0; 4]);
    out.extend(&question[12..end]);
    for address in addresses {
        // The name of the question, A, IN, a second.
        out.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
        out.extend(address.octets());
    }
    out
}

/// The command where /etc/resolv.conf is that file.
fn resolving_by(file: &Path, command: &Command) -> Command {
    let mounted = "mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"";
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "sh", "-c", mounted, "sh"]).arg(file);
    inside.arg(command.get_program()).args(command.get_args());
    inside
}

#[test]
fn a_backends_endpoints_follow_its_name() {
    let _alone = alone();
    let Some(server) = NameServer::start() else {
        println!("left out: port 53 needs a privilege");
        return;
    };
    let first = Origin::start(Duration::ZERO);
    let at_two = SocketAddr::from(([127, 0, 0, 2], first.address.port()));
    let origins = [first, Origin::start_at(at_two, Duration::ZERO)];
    let [one, two] = [origins[0].address, origins[1].address];
    let mut proxy = Proxy::prepare(&Mesh { settings: "", rules: RULES, backends: &[] });
    let file = proxy.folder.path().join("resolv.conf");
    std::fs::write(&file, format!("nameserver {}\n", server.address)).unwrap();
    if !resolving_by(&file, &Command::new("true")).status().is_ok_and(|status| status.success()) {
        println!("left out: mount namespaces need a privilege");
        return;
    }
    let port = one.port();
    proxy.write(
        "origin.yaml",
        &format!(
            "apiVersion: meshctl.dev/v1alpha1
kind: Backend
metadata: {{name: origin}}
spec: {{endpoints: [\"{NAME}:{port}\"]}}
"
        ),
    );
    server.says(Some(&[one]));
    proxy.serve(proxy.run_as(|command| resolving_by(&file, &command)));
    // How many of ten requests reach each; none is lost, whatever the name server says.
    let ask = || {
        let counts = || [0, 1].map(|at: usize| origins[at].counts.requests.load(SeqCst));
        let before = counts();
        for _ in 0..10 {
            let answer = get(proxy.http).unwrap();
            assert!(answer.ends_with("hello\n"), "{answer}{}", proxy.log());
        }
        let after = counts();
        [after[0] - before[0], after[1] - before[1]]
    };
    assert_eq!(ask(), [10, 0]);
    server.says(Some(&[two]));
    wait_until("the other address", PATIENCE, || ask() == [0, 10]);
    // Who doesn't know takes nothing away, and that is told.
    server.says(None);
    let wrong = || proxy.metric("meshctl_diagnostics");
    wait_until("the failure to be told", PATIENCE, || wrong() > 0.0);
    assert_eq!(ask(), [0, 10]);
    assert!(proxy.log().contains(&format!("`{NAME}` can't be resolved")), "{}", proxy.log());
    server.says(Some(&[one]));
    wait_until("the first address", PATIENCE, || ask() == [10, 0]);
    assert_eq!(wrong(), 0.0);
    server.says(Some(&[one, two]));
    wait_until("both addresses", PATIENCE, || ask().iter().all(|count| *count > 0));
}
