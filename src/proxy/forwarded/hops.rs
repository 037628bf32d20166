//! What trusted proxies in front of us say.

use std::io::Write;
use std::net::IpAddr;

use smallvec::SmallVec;

use super::Inbound;
use super::element;
use crate::names;
use crate::proxy::message::Fields;

/// What is believed about a request.
pub(super) struct Believed {
    pub(super) client: IpAddr,
    pub(super) secure: bool,
    pub(super) host: Option<SmallVec<[u8; 64]>>,
    pub(super) port: Option<u16>,
    /// The elements of `Forwarded` that may be continued: they name the same client.
    pub(super) forwarded: Option<SmallVec<[u8; 256]>>,
    /// What stands in front of our peer in `X-Forwarded-For`, nearest first.
    addresses: SmallVec<[IpAddr; 4]>,
}

impl Believed {
    /// The connection's own word alone.
    pub(super) fn nothing(inbound: &Inbound<'_>) -> Self {
        Self {
            client: inbound.peer.ip().to_canonical(),
            secure: inbound.secure,
            host: None,
            port: None,
            forwarded: None,
            addresses: SmallVec::new(),
        }
    }

    /// The new value of `X-Forwarded-For`.
    pub(super) fn forwarded_for(&self, peer: IpAddr) -> SmallVec<[u8; 128]> {
        let mut value = SmallVec::new();
        for address in self.addresses.iter().rev() {
            write_ip(*address, &mut value);
            value.extend_from_slice(b", ");
        }
        write_ip(peer.to_canonical(), &mut value);
        value
    }

    fn take_addresses(&mut self, addresses: SmallVec<[IpAddr; 4]>) {
        if let Some(farthest) = addresses.last() {
            self.client = *farthest;
        }
        self.addresses = addresses;
    }
}

/// `inbound.trusted_hops` is at least 1.
pub(super) fn believed(fields: &Fields, inbound: &Inbound<'_>) -> Believed {
    let hops = usize::from(inbound.trusted_hops);
    let mut believed = Believed::nothing(inbound);
    let forwarded = element::chain(fields, hops);
    if fields.contains(names::HEADER_FORWARDED_FOR) {
        believed.take_addresses(addresses(fields, hops));
        believed.forwarded =
            forwarded.filter(|f| f.addresses == believed.addresses).map(|f| f.text);
    } else if let Some(forwarded) = forwarded {
        believed.take_addresses(forwarded.addresses);
        believed.secure = forwarded.secure.unwrap_or(inbound.secure);
        believed.forwarded = Some(forwarded.text);
    }
    if let Some(secure) = member(fields, names::HEADER_FORWARDED_PROTO, hops).and_then(scheme) {
        believed.secure = secure;
    }
    believed.host = member(fields, names::HEADER_FORWARDED_HOST, hops)
        .filter(|host| is_authority(host))
        .map(SmallVec::from_slice);
    believed.port =
        member(fields, names::HEADER_FORWARDED_PORT, hops).and_then(number).or_else(|| {
            // A hop that ends TLS and names no port took the request on the scheme's own: ours would
            // send browsers to a port that they can't reach.
            let told =
                fields.contains(names::HEADER_FORWARDED_PROTO) || believed.forwarded.is_some();
            told.then(|| {
                believed.host.as_deref().and_then(port_of).unwrap_or(default_port(believed.secure))
            })
        });
    believed
}

/// The believed entries, nearest first. The walk ends at the first that is no address: who wrote
/// something else there is not to be followed further. With fewer entries than hops (a request
/// that entered behind the first of them) the leftmost is taken: it is a stranger's address, and
/// falling back to our peer would make the stranger one of ours.
fn addresses(fields: &Fields, hops: usize) -> SmallVec<[IpAddr; 4]> {
    members(fields, names::HEADER_FORWARDED_FOR, hops).map_while(address).collect()
}

/// The list's member that the first trusted hop saw to: the `hops`-th from the right, or the
/// leftmost of fewer. Most proxies hand one value on instead of a list; that is it, then.
fn member<'a>(fields: &'a Fields, name: &str, hops: usize) -> Option<&'a [u8]> {
    members(fields, name, hops).last()
}

/// The last `most` members of a list field that may span lines, from the right.
fn members<'a>(fields: &'a Fields, name: &str, most: usize) -> impl Iterator<Item = &'a [u8]> {
    let lines: SmallVec<[&[u8]; 4]> = fields.get_all(name).collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
        .take(most)
}

/// An address as proxies write it: bare, or with a port, and then IPv6 in brackets.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let ip = if let Some(rest) = text.strip_prefix('[') {
        let (ip, port) = rest.split_once(']')?;
        if !port.is_empty() {
            number(port.strip_prefix(':')?.as_bytes())?;
        }
        IpAddr::V6(ip.parse().ok()?)
    } else if let Ok(ip) = text.parse::<IpAddr>() {
        ip
    } else {
        let (ip, port) = text.split_once(':')?;
        number(port.as_bytes())?;
        IpAddr::V4(ip.parse().ok()?)
    };
    Some(ip.to_canonical())
}

pub(super) fn scheme(text: &[u8]) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case(b"https") || text.eq_ignore_ascii_case(b"wss") => Some(true),
        _ if text.eq_ignore_ascii_case(b"http") || text.eq_ignore_ascii_case(b"ws") => Some(false),
        _ => None,
    }
}

fn number(text: &[u8]) -> Option<u16> {
    let digits = (1..=5).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// `host[:port]` with nothing in it that could end a header, a path or a quotation.
fn is_authority(text: &[u8]) -> bool {
    (1..=255).contains(&text.len())
        && text.iter().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

fn port_of(authority: &[u8]) -> Option<u16> {
    let colon = memchr::memrchr(b':', authority)?;
    number(&authority[colon + 1..])
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Without `write!` for IPv4, which every request pays for.
pub(super) fn write_ip<const N: usize>(ip: IpAddr, out: &mut SmallVec<[u8; N]>) {
    match ip {
        IpAddr::V4(ip) => {
            let mut separator: &[u8] = b"";
            for octet in ip.octets() {
                out.extend_from_slice(separator);
                out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
                separator = b".";
            }
        }
        IpAddr::V6(ip) => {
            let mut text = [0; 46];
            let mut rest = &mut text[..];
            write!(rest, "{ip}").expect("the longest IPv6 address has 45 bytes");
            let written = 46 - rest.len();
            out.extend_from_slice(&text[..written]);
        }
    }
}
