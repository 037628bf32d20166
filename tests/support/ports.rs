//! Addresses for processes that have to be told where to listen.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Free a moment ago, and to be used at once. Below the ports that the system gives to
/// connections: one of those could take it meanwhile.
pub fn free_addresses<const N: usize>() -> [SocketAddr; N] {
    let mut tries = std::iter::repeat_with(|| (Ipv4Addr::LOCALHOST, fastrand::u16(10_000..32_000)));
    let sockets = [(); N].map(|()| tries.find_map(|at| TcpListener::bind(at).ok()).unwrap());
    sockets.map(|socket| socket.local_addr().unwrap())
}
