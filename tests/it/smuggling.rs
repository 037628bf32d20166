//! Nothing ambiguous reaches a backend, and the backend sees as many requests as the proxy.
//!
//! The codec is run as the exchange runs it: parse a head, write it, decode the body, encode it.
//! What comes out is read by `oracle`, which also reads what went in: it has to find the same
//! requests with the same bodies there, so no leniency hides behind a clean re-spelling.

mod corpus;
pub(crate) mod mutation;

use bytes::BytesMut;
use meshctl::proxy::codec::h1::{
    BodyDecoder, BodyEncoder, Decoded, HeadLimits, Parsed, Persistence, parse_request,
    write_request,
};
use meshctl::proxy::message::{BodyLength, RequestHead};

use crate::oracle::{self, Request, Rest, Speaker};
use corpus::{CORPUS, Verdict};

/// How a client's connection went on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// Waits for more bytes of a head or a body.
    Waiting,
    /// Refused with this status while a head or a body was read.
    Refused(u16),
    /// The client or the version asked for it.
    Closed,
    /// What follows belongs to another protocol and waits for the backend's 101.
    Upgraded,
}

/// What a proxy made of one client connection.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Forwarded {
    /// What the proxy would log, one line per complete request.
    log: Vec<String>,
    /// All complete requests as a backend gets them.
    wire: Vec<u8>,
    /// A request whose body never came to its end: its connection to the backend is cut here.
    cut: Vec<u8>,
    end: End,
}

impl Forwarded {
    /// All of it but how bodies were cut into chunks, which follows the reads.
    fn outcome(&self) -> (Vec<Request>, bool, &End) {
        (oracle::read_all(&self.wire, Speaker::Meshctl).0, self.cut.is_empty(), &self.end)
    }
}

/// The exchange without sockets; `pieces` are what single reads give.
fn forward<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Forwarded {
    let mut pieces = pieces.into_iter();
    let mut input = BytesMut::new();
    let mut head = RequestHead::default();
    let mut done = Forwarded { log: vec![], wire: vec![], cut: vec![], end: End::Waiting };
    loop {
        let parsed = parse_request(&input, &HeadLimits::default(), &mut head);
        match parsed {
            Ok(Parsed::Complete { consumed }) => drop(input.split_to(consumed)),
            Ok(Parsed::Partial) => match pieces.next() {
                Some(piece) => {
                    input.extend_from_slice(piece);
                    continue;
                }
                None => return done,
            },
            Err(error) => {
                done.end = End::Refused(error.status());
                return done;
            }
        }
        let mut out = Vec::new();
        write_request(&head, Persistence::KeepAlive, &mut out);
        let body = forward_body(head.body, &mut input, &mut pieces, &mut out);
        let Ok(body) = body.map_err(|end| done.end = end) else {
            done.cut = out;
            return done;
        };
        done.log.push(format!("{} {} {}", head.method, head.target.as_str(), body.escape_ascii()));
        done.wire.extend_from_slice(&out);
        if !head.upgrade.is_empty() {
            done.end = End::Upgraded;
            return done;
        }
        if !head.keep_alive {
            done.end = End::Closed;
            return done;
        }
    }
}

fn forward_body<'a>(
    length: BodyLength,
    input: &mut BytesMut,
    pieces: &mut impl Iterator<Item = &'a [u8]>,
    out: &mut Vec<u8>,
) -> Result<Vec<u8>, End> {
    let mut decoder = BodyDecoder::new(length);
    let mut encoder = BodyEncoder::new(length);
    let (mut body, mut trailers) = (Vec::new(), None);
    loop {
        match decoder.decode(input).map_err(|_| End::Refused(400))? {
            Decoded::Data(data) => {
                body.extend_from_slice(&data);
                encoder.data(&data, out).expect("the decoder counts the same bytes");
            }
            Decoded::Trailers(fields) => trailers = Some(fields),
            Decoded::NeedMore => input.extend_from_slice(pieces.next().ok_or(End::Waiting)?),
            Decoded::End => break,
        }
    }
    encoder.finish(trailers.as_deref(), out).expect("the decoder counts the same bytes");
    Ok(body)
}

/// What `forward` logs of a request, in the oracle's eyes.
fn log_line(request: &Request) -> String {
    format!("{} {} {}", request.method, request.target, request.body.escape_ascii())
}

/// Everything that must hold of one connection, whatever the client sent.
#[track_caller]
fn check(name: &str, input: &[u8]) -> Forwarded {
    let shown = input.escape_ascii();
    let forwarded = forward([input]);

    // The backend sees the requests that were logged, and nothing else.
    let (seen, rest) = oracle::read_all(&forwarded.wire, Speaker::Meshctl);
    let wire = forwarded.wire.escape_ascii();
    assert_eq!(rest, Rest::Nothing, "{name}: {shown}\n went on as {wire}");
    let seen_log: Vec<_> = seen.iter().map(log_line).collect();
    assert_eq!(seen_log, forwarded.log, "{name}: {shown}\n went on as {wire}");

    // One that was cut is a beginning to the backend, never a request and never nonsense.
    if !forwarded.cut.is_empty() {
        let cut = oracle::read_all(&forwarded.cut, Speaker::Meshctl);
        let wire = forwarded.cut.escape_ascii();
        assert_eq!(cut, (vec![], Rest::Incomplete), "{name}: {shown}\n was cut as {wire}");
    }

    // A strict reader of what the client sent finds the same requests there.
    let (sent, rest) = oracle::read_all(input, Speaker::Client);
    assert!(sent.len() >= seen.len(), "{name}: {shown}\n {rest:?}, but went on as {wire}");
    for (sent, seen) in sent.iter().zip(&seen) {
        assert_eq!((&sent.method, &sent.body), (&seen.method, &seen.body), "{name}: {shown}");
    }
    forwarded
}

#[test]
fn the_corpus_reaches_no_backend_in_two_readings() {
    assert!(CORPUS.len() >= 140, "{}", CORPUS.len());
    for &(name, input, verdict) in CORPUS {
        let forwarded = check(name, input);
        let refused = matches!(forwarded.end, End::Refused(_));
        let got = match forwarded.log.len() {
            0 if !forwarded.cut.is_empty() => Verdict::Cut,
            0 if refused => Verdict::Refused,
            complete if refused || !forwarded.cut.is_empty() => {
                Verdict::PassedThenRefused(complete)
            }
            complete => Verdict::Passed(complete),
        };
        assert_eq!(got, verdict, "{name}: {}\n{forwarded:?}", input.escape_ascii());
    }
}

#[test]
fn the_corpus_has_no_twins() {
    for (at, (name, input, _)) in CORPUS.iter().enumerate() {
        let twin = CORPUS[..at].iter().find(|other| other.0 == *name || other.1 == *input);
        assert!(twin.is_none(), "{name} is in the corpus twice");
    }
}

/// Where reads end changes nothing: each payload is cut in two at each of its bytes, and fed byte
/// by byte.
#[test]
fn a_request_is_the_same_in_pieces() {
    for (name, input, _) in CORPUS {
        let whole = forward([*input]);
        for cut in 1..input.len() {
            let halves = forward([&input[..cut], &input[cut..]]);
            assert_eq!(halves.outcome(), whole.outcome(), "{name} cut at {cut}");
        }
        let bytes = forward(input.chunks(1));
        assert_eq!(bytes.outcome(), whole.outcome(), "{name} byte by byte");
    }
}

#[test]
fn mutated_pipelines_keep_their_count() {
    const CASES: usize = 12_000;
    let mut rng = fastrand::Rng::with_seed(9112);
    let (mut requests, mut refused) = (0, 0);
    for case in 0..CASES {
        let valid = mutation::pipeline(&mut rng);
        let mutated = mutation::mutate(&valid, &mut rng);
        let forwarded = check("mutated", &mutated);
        requests += forwarded.log.len();
        refused += usize::from(matches!(forwarded.end, End::Refused(_)));
        let cut = rng.usize(..=mutated.len());
        let halves = forward([&mutated[..cut], &mutated[cut..]]);
        assert_eq!(
            halves.outcome(),
            forwarded.outcome(),
            "cut at {cut}: {}",
            mutated.escape_ascii()
        );
        if case % 20 == 0 {
            let bytes = forward(mutated.chunks(1));
            assert_eq!(bytes.outcome(), forwarded.outcome(), "{}", mutated.escape_ascii());
        }
    }
    // The mutations are neither so wild that nothing passes nor so tame that all does.
    assert!(requests > CASES / 2 && refused > CASES / 4, "{requests} passed, {refused} refused");
}

#[test]
fn pipelines_that_nobody_touched_pass_whole() {
    let mut rng = fastrand::Rng::with_seed(9110);
    for _ in 0..1_000 {
        let valid = mutation::pipeline(&mut rng);
        let forwarded = check("valid", &valid);
        let (sent, rest) = oracle::read_all(&valid, Speaker::Client);
        assert_eq!(rest, Rest::Nothing, "{}", valid.escape_ascii());
        assert_eq!(forwarded.log.len(), sent.len(), "{}", valid.escape_ascii());
    }
}
