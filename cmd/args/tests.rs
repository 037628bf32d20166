use std::time::Duration;

use meshctl::model::Address;

use super::*;

/// `Ok` holds the Debug or Display form that is expected, `Err` a part of the message.
fn check<T>(
    parse: impl Fn(&str) -> Result<T, String>,
    show: impl Fn(&T) -> String,
    cases: &[(&str, Result<&str, &str>)],
) {
    for (text, expected) in cases {
        match (parse(text), expected) {
            (Ok(value), Ok(expected)) => assert_eq!(show(&value), *expected, "{text:?}"),
            (Err(error), Err(part)) => {
                assert!(error.contains(part), "{text:?}: {error:?} does not say {part:?}");
                assert!(!error.ends_with('.'), "{text:?}: {error:?} ends with a full stop");
            }
            (Ok(value), Err(part)) => panic!("{text:?} gave {}, not {part:?}", show(&value)),
            (Err(error), Ok(expected)) => panic!("{text:?} gave {error:?}, not {expected:?}"),
        }
    }
}

#[test]
fn targets() {
    let show = |target: &Target| format!("{} x{}", target.address, target.weight);
    check(
        target,
        show,
        &[
            ("localhost:3000", Ok("localhost:3000 x1")),
            ("localhost:3000=90", Ok("localhost:3000 x90")),
            ("LOCALHOST:3000=0", Ok("localhost:3000 x0")),
            ("127.0.0.1:80=1000000", Ok("127.0.0.1:80 x1000000")),
            ("[::1]:80=2", Ok("[::1]:80 x2")),
            ("my_service.shop.svc.:80", Ok("my_service.shop.svc.:80 x1")),
            ("unix:/run/app.sock", Ok("unix:/run/app.sock x1")),
            ("unix:/run/a=b=5", Ok("unix:/run/a=b x5")),
            ("unix:@app", Ok("unix:@app x1")),
            ("localhost:3000=", Err("`` is not a weight")),
            ("localhost:3000=-1", Err("`-1` is not a weight")),
            ("localhost:3000=10%", Err("`10%` is not a weight")),
            ("localhost:3000=1000001", Err("from 0 to 1000000")),
            ("localhost", Err("`localhost` has no port")),
            ("", Err("has no port")),
            (":3000", Err("has no host: localhost:3000")),
            ("localhost:", Err("`` is not a port")),
            ("localhost:0", Err("`0` is not a port")),
            ("localhost:65536", Err("`65536` is not a port")),
            ("localhost:+80", Err("`+80` is not a port")),
            ("http://localhost:3000/x", Err("localhost:3000, without http://")),
            ("::1", Err("[::1]:PORT")),
            ("::1:80", Err("[::1:80]:PORT")),
            ("[::1", Err("`[:` is neither")),
            ("[::g]:80", Err("neither a host name")),
            ("256.0.0.1:80", Err("neither a host name")),
            ("127.1:80", Err("neither a host name")),
            ("a..b:80", Err("neither a host name")),
            ("a b:80", Err("neither a host name")),
            ("unix:app.sock", Err("absolute path")),
            ("unix:/", Err("absolute path")),
            ("unix:", Err("absolute path")),
        ],
    );
    let long = format!("unix:/{}", "a".repeat(107));
    assert!(target(&long).is_err_and(|error| error.contains("107 bytes")));
    let long = format!("{}:80", "a.".repeat(128));
    assert!(target(&long).is_err(), "255 characters and a dot");
}

#[test]
fn addresses_to_listen_on() {
    check(
        bind_address,
        ToString::to_string,
        &[
            (":8080", Ok("*:8080")),
            ("*:8080", Ok("*:8080")),
            ("127.0.0.1:80", Ok("127.0.0.1:80")),
            ("[::]:80", Ok("[::]:80")),
            ("8080", Err(":8080, or 127.0.0.1:8080")),
            ("localhost:80", Err("127.0.0.1:80 or [::1]:80")),
            ("shop:80", Err("`shop` is not an IP address")),
            ("http://:80", Err("without http://")),
            (":0", Err("not a port")),
            ("::", Err("[::]:PORT")),
            ("", Err("no port")),
        ],
    );
}

#[test]
fn durations() {
    check(
        duration,
        |value| format!("{value:?}"),
        &[
            ("5m", Ok("300s")),
            ("1h30m", Ok("5400s")),
            ("500ms", Ok("500ms")),
            ("1h1m1s1ms", Ok("3661.001s")),
            ("0s", Ok("0ns")),
            ("99999h", Ok("359996400s")),
            ("30", Err("30s or 30m")),
            ("", Err("number and its unit")),
            ("m", Err("number and its unit")),
            ("5 m", Err("5 ms or")),
            ("5d", Err("`d` is not a unit")),
            ("100000s", Err("number and its unit")),
            ("1s1s1s1s1s", Err("number and its unit")),
            ("-5s", Err("number and its unit")),
            ("1.5s", Err("needs a unit")),
            ("٣s", Err("number and its unit")),
        ],
    );
}

#[test]
fn percentages() {
    check(
        percent,
        |value| value.basis_points.to_string(),
        &[
            ("10%", Ok("1000")),
            ("10", Ok("1000")),
            ("0.5%", Ok("50")),
            ("0.05", Ok("5")),
            ("100%", Ok("10000")),
            ("100.01%", Err("at most 100%")),
            ("101", Err("at most 100%")),
            ("999", Err("at most 100%")),
            ("0.001%", Err("two digits")),
            ("-1", Err("0 to 100")),
            ("1%%", Err("0 to 100")),
            (".5", Err("0 to 100")),
            ("5.", Err("0 to 100")),
            ("", Err("0 to 100")),
        ],
    );
}

#[test]
fn endpoints_and_ports() {
    check(
        endpoint_override,
        |value| format!("{}/{} at {}", value.namespace, value.service, value.address),
        &[
            ("cart=localhost:3000", Ok("default/cart at localhost:3000")),
            ("shop/cart=unix:/run/a=b", Ok("shop/cart at unix:/run/a=b")),
            ("cart", Err("[NS/]SERVICE=HOST:PORT")),
            ("=localhost:1", Err("not a Service's name")),
            ("/cart=localhost:1", Err("not a namespace")),
            ("a/b/c=localhost:1", Err("`b/c` is not a Service's name")),
            ("Cart=localhost:1", Err("lower-case")),
            ("cart=localhost", Err("no port")),
        ],
    );
    check(
        port_move,
        |value| format!("{} to {}", value.listener, value.here),
        &[
            ("80=8080", Ok("80 to 8080")),
            ("8080", Err("80=8080")),
            ("80=", Err("not a port")),
            ("0=80", Err("not a port")),
            ("80=8080=1", Err("`8080=1` is not a port")),
        ],
    );
}

#[test]
fn an_address_is_as_exact_as_it_was_typed() {
    let parsed = |text: &str| target(text).map(|target| target.address);
    assert_eq!(parsed("127.0.0.1:80"), Ok(Address::Socket(([127, 0, 0, 1], 80).into())));
    assert_eq!(parsed("shop:80"), Ok(Address::Dns { host: "shop".into(), port: 80 }));
    assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
}
