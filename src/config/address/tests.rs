use super::*;

fn reads<T: std::fmt::Display>(read: Result<T, AddressError>, expected: Result<&str, &str>) {
    match (read, expected) {
        (Ok(read), Ok(expected)) => assert_eq!(read.to_string(), expected),
        (Err(error), Err(part)) => {
            let error = error.to_string();
            assert!(error.contains(part), "{error:?} does not say {part:?}");
            assert!(!error.ends_with('.') && error.len() < 200, "{error:?}");
        }
        (Ok(read), Err(part)) => panic!("{read} was read, expected {part:?}"),
        (Err(error), Ok(expected)) => panic!("{error}, expected {expected:?}"),
    }
}

#[test]
fn endpoints_are_read_or_refused_with_a_remedy() {
    let check = |text: &str, expected| reads(endpoint(text), expected);
    check("localhost:3000", Ok("localhost:3000"));
    check("LOCALHOST:3000", Ok("localhost:3000"));
    check("my_service.shop.svc.:80", Ok("my_service.shop.svc:80"));
    check("127.0.0.1:80", Ok("127.0.0.1:80"));
    check("[::1]:80", Ok("[::1]:80"));
    check("a:65535", Ok("a:65535"));
    check("unix:/run/app.sock", Ok("unix:/run/app.sock"));
    check("unix:@app", Ok("unix:@app"));
    check("unix:/a b=c://d", Err("neither scheme"));
    check("localhost", Err("no port"));
    check("", Err("no port"));
    check(":3000", Err("no host"));
    check("localhost:", Err("no port"));
    for port in ["0", "65536", "+80", "8_0", "٣"] {
        check(&format!("localhost:{port}"), Err("is not a number from 1 to 65535"));
    }
    check("http://localhost:3000/x", Err("write `localhost:3000`"));
    for text in ["::1", "::1:80", "2001:db8::1:80:80", "fe80::1:abcd"] {
        check(text, Err("stands in brackets"));
    }
    check("[::1]", Err("no port"));
    let hosts = [
        "[::1",
        "[::g]",
        "[10.0.0.1]",
        "256.0.0.1",
        "127.1",
        "10.0.1",
        "0x7f000001",
        "a.0x1",
        "a..b",
        ".",
        "..",
        "a b",
        "*.example",
        "é",
        "a\0",
    ];
    for host in hosts {
        check(&format!("{host}:80"), Err("neither a host name nor an IP address"));
    }
    for text in ["unix:app.sock", "unix:/", "unix:@", "unix:", "unix:/a\0b"] {
        check(text, Err("`unix:/path`"));
    }
    let longest = format!("unix:/{}", "a".repeat(106));
    check(&longest, Ok(&longest));
    check(&format!("unix:/{}", "a".repeat(107)), Err("107 bytes"));
    let longest = format!("{}b:80", "a.".repeat(126));
    check(&longest, Ok(&longest));
    check(&format!("{}b:80", "a.".repeat(127)), Err("…` is neither"));
    check(&"é".repeat(1 << 16), Err("no port"));
    check(&format!("{}:80", "é".repeat(1 << 16)), Err("…` is neither"));
}

#[test]
fn an_endpoint_that_was_read_is_read_again() {
    for text in ["A.example.:80", "[0:0::1]:80", "unix:/run/a=b", "unix:@x:80", "1.2.3.4:5"] {
        let once = endpoint(text).expect(text);
        assert_eq!(endpoint(&once.to_string()), Ok(once));
    }
}

#[test]
fn addresses_to_listen_on() {
    let check = |text: &str, expected| reads(bind(text), expected);
    check(":8080", Ok("*:8080"));
    check("*:8080", Ok("*:8080"));
    check("127.0.0.1:80", Ok("127.0.0.1:80"));
    check("[::]:80", Ok("[::]:80"));
    check("8080", Err("`:8080`, or `127.0.0.1:8080`"));
    check("localhost:80", Err("as in `127.0.0.1:80` or `[::1]:80`"));
    check("shop:80", Err("`shop` is not an IP address"));
    check("unix:/a", Err("not a number"));
    check("http://:80", Err("write `:80`"));
    check("::", Err("in brackets"));
    check("::1:80", Err("in brackets"));
    check(":0", Err("not a number"));
    check(":+80", Err("not a number"));
    check(":65536", Err("not a number"));
    check("65536", Err("no port"));
    check(":", Err("not a number"));
    check("", Err("no port"));
}
