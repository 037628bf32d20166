use super::*;

/// Everything that a body gives, and what is left of the input.
#[derive(Debug, Default, PartialEq, Eq)]
struct Whole {
    data: Vec<u8>,
    trailers: Vec<(String, String)>,
    rest: Vec<u8>,
    done: bool,
}

/// Feeds the input in pieces of `step` bytes.
fn read_in_steps(length: BodyLength, raw: &[u8], step: usize) -> Result<Whole, BodyError> {
    let mut decoder = BodyDecoder::new(length);
    let mut input = BytesMut::new();
    let mut whole = Whole::default();
    let mut pieces = raw.chunks(step);
    loop {
        match decoder.decode(&mut input)? {
            Decoded::Data(data) => {
                assert!(!data.is_empty());
                whole.data.extend_from_slice(&data);
            }
            Decoded::Trailers(fields) => {
                assert!(!fields.is_empty());
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                whole.trailers.extend(fields.iter().map(|(name, value)| (text(name), text(value))));
            }
            Decoded::End => {
                whole.done = true;
                break;
            }
            Decoded::NeedMore => match pieces.next() {
                Some(piece) => input.extend_from_slice(piece),
                None => break,
            },
        }
    }
    assert_eq!(decoder.is_done(), whole.done);
    whole.rest = input.to_vec();
    pieces.for_each(|piece| whole.rest.extend_from_slice(piece));
    Ok(whole)
}

#[track_caller]
fn read(length: BodyLength, raw: &str) -> Result<Whole, BodyError> {
    let whole = read_in_steps(length, raw.as_bytes(), raw.len().max(1));
    for step in 1..raw.len().min(40) {
        assert_eq!(
            read_in_steps(length, raw.as_bytes(), step),
            whole,
            "{raw:?} in steps of {step}"
        );
    }
    whole
}

#[test]
fn bodies_end_where_they_should() {
    use BodyLength::*;
    for (length, raw, data, rest) in [
        (Empty, "GET /", "", "GET /"),
        (Sized(0), "GET /", "", "GET /"),
        (Sized(5), "helloGET /", "hello", "GET /"),
        (Streamed, "0\r\n\r\nGET /", "", "GET /"),
        (Streamed, "5\r\nhello\r\n0\r\n\r\nGET /", "hello", "GET /"),
        (Streamed, "00005\r\nhello\r\n1\r\n!\r\n000\r\n\r\n", "hello!", ""),
        (Streamed, "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", ""),
        (Streamed, "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", "hello", ""),
        (Streamed, "2\r\n\r\n\r\n0\r\n\r\n", "\r\n", ""),
    ] {
        let whole = read(length, raw).expect(raw);
        assert_eq!(
            (String::from_utf8_lossy(&whole.data).as_ref(), whole.done),
            (data, true),
            "{raw:?}"
        );
        assert_eq!(String::from_utf8_lossy(&whole.rest), rest, "{raw:?}");
    }
    let whole = read(UntilClose, "all of it").expect("anything goes");
    assert_eq!((whole.data.as_slice(), whole.done), (&b"all of it"[..], false));
}

#[test]
fn chunk_sizes_have_one_spelling() {
    for raw in [
        "\r\n",
        "0x5\r\nhello\r\n",
        "5h\r\n",
        "+5\r\n",
        "-5\r\n",
        " 5\r\n",
        "5 \r\n",
        "5\t\r\n",
        "5 ;a\r\n",
        "5_0\r\n",
        "5,\r\n",
        ";a\r\n",
        "g\r\n",
        "5\n",
        "5\rhello",
        "5\r\r\n",
        "5;a\nhello\r\n",
        "5;a\rb\r\n",
        "5;a\0\r\n",
        "5;a\x7f\r\n",
        "8000000000000000\r\n",
        "10000000000000005\r\n",
        "00000000000000005\r\n",
        "fffffffffffffffff\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello \r\n0\r\n\r\n",
        "5\r\nhellooo\r\n",
        "\u{665}\r\n",
    ] {
        assert!(matches!(read(BodyLength::Streamed, raw), Err(BodyError::Chunk(_))), "{raw:?}");
    }
    let most = "7fffffffffffffff\r\nx";
    assert_eq!(read(BodyLength::Streamed, most).map(|whole| whole.data), Ok(b"x".to_vec()));
}

#[test]
fn trailers_are_checked_and_filtered() {
    let whole = read(
        BodyLength::Streamed,
        "0\r\nGrpc-Status: 0\r\nContent-Length: 5\r\nX-Sum:\t1 \r\nHost: b\r\nX_Forwarded_For: c\r\nAuthorization: d\r\n\r\nrest",
    )
    .expect("valid");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(whole.trailers, [pair("grpc-status", "0"), pair("x-sum", "1")]);
    assert_eq!(whole.rest, b"rest");
    let whole =
        read(BodyLength::Streamed, "0\r\nTransfer-Encoding: chunked\r\n\r\n").expect("valid");
    assert!(whole.trailers.is_empty() && whole.done);
    for raw in [
        "0\r\n\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: b\r\n\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n",
        "0\r\n: b\r\n\r\n",
        "0\r\nA: b\0\r\n\r\n",
        "0\r\nA: b\rc\r\n\r\n",
        "0\r\nGET / HTTP/1.1\r\n\r\n",
        "0\r\n\rx",
    ] {
        assert!(matches!(read(BodyLength::Streamed, raw), Err(BodyError::Trailers(_))), "{raw:?}");
    }
}

#[test]
fn chunk_lines_and_trailers_have_limits() {
    let line = |len: usize| format!("0;{}\r\n\r\n", "x".repeat(len - 4));
    assert!(
        read(BodyLength::Streamed, &line(limits::CHUNK_LINE_BYTES)).is_ok_and(|whole| whole.done)
    );
    for len in 1..4 {
        let raw = line(limits::CHUNK_LINE_BYTES + len);
        assert!(
            matches!(read(BodyLength::Streamed, &raw), Err(BodyError::Chunk(_))),
            "{len} too long"
        );
    }
    let unended = "1".to_owned() + &"0".repeat(limits::CHUNK_LINE_BYTES);
    assert!(matches!(read(BodyLength::Streamed, &unended), Err(BodyError::Chunk(_))));

    let chunk = format!("1;{}\r\nx\r\n", "x".repeat(199));
    let fitting = limits::CHUNK_EXTENSION_BYTES / 200;
    let body = |count: usize| chunk.repeat(count) + "0\r\n\r\n";
    let whole = |raw: &str| read_in_steps(BodyLength::Streamed, raw.as_bytes(), 1 << 20);
    assert!(whole(&body(fitting)).is_ok_and(|whole| whole.done));
    assert!(matches!(whole(&body(fitting + 1)), Err(BodyError::Chunk(_))));

    let section = |len: usize| format!("0\r\nA: {}\r\n\r\n", "x".repeat(len - 7));
    assert!(whole(&section(limits::TRAILER_BYTES)).is_ok_and(|whole| whole.done));
    assert!(matches!(whole(&section(limits::TRAILER_BYTES + 1)), Err(BodyError::Trailers(_))));
    let many = format!("0\r\n{}\r\n", "A: b\r\n".repeat(limits::HEADERS + 1));
    assert!(matches!(whole(&many), Err(BodyError::Trailers(_))));
}

#[test]
fn a_connection_may_end_only_where_the_body_does() {
    for (length, raw, fine) in [
        (BodyLength::UntilClose, "a", true),
        (BodyLength::Empty, "", true),
        (BodyLength::Sized(1), "a", true),
        (BodyLength::Sized(2), "a", false),
        (BodyLength::Streamed, "", false),
        (BodyLength::Streamed, "1\r\na\r\n", false),
        (BodyLength::Streamed, "1\r\na\r\n0\r\n", false),
        (BodyLength::Streamed, "1\r\na\r\n0\r\n\r\n", true),
    ] {
        let mut decoder = BodyDecoder::new(length);
        let mut input = BytesMut::from(raw);
        while !matches!(decoder.decode(&mut input), Ok(Decoded::End | Decoded::NeedMore)) {}
        assert_eq!(decoder.closed().is_ok(), fine, "{length:?} {raw:?}");
    }
}

#[test]
fn the_encoder_spells_what_the_head_promised() {
    let mut trailers = Fields::new();
    trailers.push(b"grpc-status", b"0");
    trailers.push(b"content-length", b"9");
    let encode = |length: BodyLength, pieces: &[&str]| {
        let mut encoder = BodyEncoder::new(length);
        let mut out = Vec::new();
        for piece in pieces {
            encoder.data(piece.as_bytes(), &mut out)?;
        }
        encoder.finish(Some(&trailers), &mut out)?;
        Ok(String::from_utf8(out).expect("text"))
    };
    let long = "x".repeat(26);
    for (length, pieces, wire) in [
        (BodyLength::Empty, &[][..], Ok(String::new())),
        (BodyLength::Empty, &["a"], Err(BodyError::TooLong)),
        (BodyLength::Sized(3), &["ab", "", "c"], Ok("abc".to_owned())),
        (BodyLength::Sized(3), &["ab"], Err(BodyError::TooShort)),
        (BodyLength::Sized(3), &["ab", "cd"], Err(BodyError::TooLong)),
        (BodyLength::UntilClose, &["ab", "c"], Ok("abc".to_owned())),
        (BodyLength::Streamed, &[], Ok("0\r\ngrpc-status: 0\r\n\r\n".to_owned())),
        (
            BodyLength::Streamed,
            &["ab", "", &long],
            Ok(format!("2\r\nab\r\n1a\r\n{long}\r\n0\r\ngrpc-status: 0\r\n\r\n")),
        ),
    ] {
        assert_eq!(encode(length, pieces), wire, "{length:?} {pieces:?}");
    }
}

#[test]
fn data_can_go_out_beside_its_frame() {
    let mut encoder = BodyEncoder::new(BodyLength::Streamed);
    let mut out = Vec::new();
    encoder.start_data(0, &mut out).expect("room");
    encoder.end_data(&mut out);
    assert!(out.is_empty());
    encoder.start_data(3, &mut out).expect("room");
    assert_eq!(out, b"3\r\n");
    encoder.end_data(&mut out);
    encoder.finish(None, &mut out).expect("no debt");
    assert_eq!(out, b"3\r\n\r\n0\r\n\r\n");
    assert_eq!(encoder.start_data(1, &mut out), Err(BodyError::TooLong));
    let mut encoder = BodyEncoder::new(BodyLength::Sized(3));
    encoder.start_data(2, &mut out).expect("room");
    assert_eq!(encoder.owes(), 1);
}
