//! Version 2: a binary header with type-length-value fields at its end.

use std::net::IpAddr;

use super::crc32c::Crc32c;
use super::{Header, Invalid, Pair, Parsed, pair, proxied};
use crate::limits;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family and transport, length.
const FIXED_BYTES: usize = 16;
/// Two paths of 108 bytes.
const UNIX_BYTES: usize = 216;

const VERSION: u8 = 0x20;
const COMMAND_LOCAL: u8 = 0x0;
const COMMAND_PROXY: u8 = 0x1;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;
const UNIX_STREAM: u8 = 0x31;
const UNSPECIFIED: u8 = 0x00;
const TLV_CRC32C: u8 = 0x03;

pub(super) fn may_start(buf: &[u8]) -> bool {
    buf.iter().zip(&SIGNATURE).all(|(a, b)| a == b)
}

/// Whatever has come is judged at once, so a sender of nonsense isn't waited for.
pub(super) fn parse(buf: &[u8]) -> Parsed {
    let command = match buf.get(12) {
        None => return Parsed::Partial,
        Some(byte) if byte & 0xf0 != VERSION => {
            return invalid("the PROXY header is of an unknown version");
        }
        Some(byte) => byte & 0x0f,
    };
    if command > COMMAND_PROXY {
        return invalid("the PROXY header has an unknown command");
    }
    let Some(&[family, high, low]) = buf.get(13..FIXED_BYTES) else { return Parsed::Partial };
    let consumed = FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if consumed > limits::PROXY_PROTOCOL_BYTES {
        return invalid("the PROXY header is longer than 4096 bytes");
    }
    let Some(header) = buf.get(..consumed) else { return Parsed::Partial };
    if command == COMMAND_LOCAL {
        // Family, addresses and all are to be passed over, whatever they are.
        return Parsed::Complete { consumed, header: Header::Local };
    }
    match body(family, header) {
        Ok(header) => Parsed::Complete { consumed, header },
        Err(invalid) => Parsed::Invalid(invalid),
    }
}

/// `header` is the whole of it, signature included.
fn body(family: u8, header: &[u8]) -> Result<Header, Invalid> {
    let body = &header[FIXED_BYTES..];
    let short = Invalid("the PROXY header is too short for its addresses");
    let (found, tlvs) = match family {
        TCP_OVER_IPV4 => {
            let (block, tlvs) = body.split_first_chunk::<12>().ok_or(short)?;
            (ipv4(block), tlvs)
        }
        TCP_OVER_IPV6 => {
            let (block, tlvs) = body.split_first_chunk::<36>().ok_or(short)?;
            (ipv6(block), tlvs)
        }
        UNIX_STREAM => (Header::Local, body.get(UNIX_BYTES..).ok_or(short)?),
        // No length of an address block is known, so there are no TLVs to be found behind it.
        UNSPECIFIED => return Ok(Header::Local),
        _ => return Err(Invalid("the PROXY header is not about a stream connection")),
    };
    check_tlvs(header, tlvs)?;
    Ok(found)
}

fn ipv4(block: &[u8; 12]) -> Header {
    let [a, b, c, d, e, f, g, h, p, q, r, s] = *block;
    let source = IpAddr::from([a, b, c, d]);
    let destination = IpAddr::from([e, f, g, h]);
    proxied((source, u16::from_be_bytes([p, q])), (destination, u16::from_be_bytes([r, s])))
}

fn ipv6(block: &[u8; 36]) -> Header {
    let (mut source, mut destination) = ([0; 16], [0; 16]);
    source.copy_from_slice(&block[..16]);
    destination.copy_from_slice(&block[16..32]);
    let port = |at: usize| u16::from_be_bytes([block[at], block[at + 1]]);
    proxied((IpAddr::from(source), port(32)), (IpAddr::from(destination), port(34)))
}

/// Passes over the fields, each held to the length that is left (CVE-2026-47692), and checks the
/// checksum where there is one.
fn check_tlvs(header: &[u8], mut tlvs: &[u8]) -> Result<(), Invalid> {
    let overrun = Invalid("a field of the PROXY header is longer than the header");
    let mut checked = false;
    while !tlvs.is_empty() {
        let (&[kind, high, low], rest) = tlvs.split_first_chunk::<3>().ok_or(overrun)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, rest) = rest.split_at_checked(length).ok_or(overrun)?;
        if kind == TLV_CRC32C {
            if std::mem::replace(&mut checked, true) {
                return Err(Invalid("the PROXY header has two checksums"));
            }
            let at = header.len() - rest.len() - value.len();
            check_crc(header, at, value)?;
        }
        tlvs = rest;
    }
    Ok(())
}

/// The checksum is over the whole header with the checksum's own bytes as zeros.
fn check_crc(header: &[u8], at: usize, value: &[u8]) -> Result<(), Invalid> {
    let Ok(expected) = <[u8; 4]>::try_from(value) else {
        return Err(Invalid("the checksum of the PROXY header is not of four bytes"));
    };
    let mut crc = Crc32c::new();
    crc.update(&header[..at]);
    crc.update(&[0; 4]);
    crc.update(&header[at + 4..]);
    if crc.finish() == u32::from_be_bytes(expected) {
        Ok(())
    } else {
        Err(Invalid("the checksum of the PROXY header is wrong"))
    }
}

fn invalid(sentence: &'static str) -> Parsed {
    Parsed::Invalid(Invalid(sentence))
}

pub(super) fn write(header: Header, out: &mut Vec<u8>) {
    out.extend_from_slice(&SIGNATURE);
    let Header::Proxied { source, destination } = header else {
        out.extend_from_slice(&[VERSION | COMMAND_LOCAL, UNSPECIFIED, 0, 0]);
        return;
    };
    match pair(source.ip(), destination.ip()) {
        Pair::V4(from, to) => write_addresses(TCP_OVER_IPV4, from.octets(), to.octets(), out),
        Pair::V6(from, to) => write_addresses(TCP_OVER_IPV6, from.octets(), to.octets(), out),
    }
    out.extend_from_slice(&source.port().to_be_bytes());
    out.extend_from_slice(&destination.port().to_be_bytes());
}

fn write_addresses<const N: usize>(family: u8, from: [u8; N], to: [u8; N], out: &mut Vec<u8>) {
    let length = u16::try_from(2 * N + 4).expect("two addresses have 36 bytes at the most");
    out.extend_from_slice(&[VERSION | COMMAND_PROXY, family]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&from);
    out.extend_from_slice(&to);
}
