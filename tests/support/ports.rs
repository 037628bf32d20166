//! Addresses for processes that have to be told where to listen.

use std::net::{Ipv4Addr, SocketAddr as Address, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Mutex, PoisonError};

/// What this process has given out, until it ends.
static GIVEN: Mutex<Vec<UnixDatagram>> = Mutex::new(Vec::new());

/// Free a moment ago, and no other test's on this machine. Below the ports that the system gives to
/// connections: one of those could take it meanwhile.
pub fn free_addresses<const N: usize>() -> [Address; N] {
    [(); N].map(|()| {
        let mut tries = std::iter::repeat_with(|| fastrand::u16(10_000..32_000));
        tries.find_map(reserved).expect("some port is free")
    })
}

/// The port is let go before its process takes it, so what is held meanwhile is its name: a socket
/// in the abstract namespace, of which there is one for each set of ports.
fn reserved(port: u16) -> Option<Address> {
    let name = SocketAddr::from_abstract_name(format!("meshctl-test-port-{port}")).ok()?;
    let name = UnixDatagram::bind_addr(&name).ok()?;
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?.local_addr().ok()?;
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).push(name);
    Some(address)
}
