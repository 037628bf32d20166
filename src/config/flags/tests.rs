use super::*;

/// `Ok` holds how the value is shown, `Err` a part of the message.
fn check<T>(
    read: impl Fn(&str) -> Result<T, FlagError>,
    show: impl Fn(&T) -> String,
    cases: &[(&str, Result<&str, &str>)],
) {
    for (text, expected) in cases {
        match (read(text), expected) {
            (Ok(value), Ok(expected)) => assert_eq!(show(&value), *expected, "{text:?}"),
            (Err(error), Err(part)) => {
                let error = error.to_string();
                assert!(error.contains(part), "{text:?}: {error:?} does not say {part:?}");
                assert!(!error.ends_with('.'), "{text:?}: {error:?} ends with a full stop");
            }
            (Ok(value), Err(part)) => panic!("{text:?} gave {}, not {part:?}", show(&value)),
            (Err(error), Ok(expected)) => panic!("{text:?} gave {error:?}, not {expected:?}"),
        }
    }
}

#[test]
fn targets_have_a_weight_of_one_unless_one_is_written() {
    let show = |target: &Target| format!("{} x{}", target.address, target.weight);
    check(
        target,
        show,
        &[
            ("localhost:3000", Ok("localhost:3000 x1")),
            ("localhost:3000=90", Ok("localhost:3000 x90")),
            ("localhost:3000=0", Ok("localhost:3000 x0")),
            ("127.0.0.1:80=1000000", Ok("127.0.0.1:80 x1000000")),
            ("[::1]:80=2", Ok("[::1]:80 x2")),
            ("unix:/run/a=b=5", Ok("unix:/run/a=b x5")),
            ("localhost:3000=", Err("`` is not a weight")),
            ("localhost:3000=-1", Err("`-1` is not a weight")),
            ("localhost:3000=+1", Err("`+1` is not a weight")),
            ("localhost:3000=10%", Err("`10%` is not a weight")),
            ("localhost:3000=1000001", Err("from 0 to 1000000")),
            ("unix:/run/a=b", Err("`b` is not a weight")),
            ("localhost=1", Err("no port")),
            ("=1", Err("no port")),
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
            ("8080", Err("`80=8080`")),
            ("80=", Err("not a number from 1 to 65535")),
            ("0=80", Err("not a number from 1 to 65535")),
            ("80=8080=1", Err("`8080=1`")),
        ],
    );
}
