use super::*;

fn report() -> Report {
    let part = |part, kind, section: &str| {
        PartKey::new(part, ObjectKey::new(Store::Files, kind, "shop", "web"), section)
    };
    let latencies = Latencies::new([(24, 3), (168, u64::MAX)]).unwrap();
    let arm = |dark: bool| Arm {
        key: ArmKey {
            rule: part(PartKind::Rule, Kind::GrpcRoute, "first"),
            backend: part(PartKind::Backend, Kind::Service, "80"),
            dark,
        },
        born: 1 + u64::from(dark),
        counts: Counts {
            requests: 1,
            attempts: 2,
            errors: 3,
            server_errors: 4,
            cancelled: 5,
            in_flight: 6,
            latencies: latencies.clone(),
        },
    };
    let totals = Totals { requests: 1, errors: 2, connections: 3, left_out: 4 };
    Report { process: u64::MAX - 1, born: 7, totals, arms: vec![arm(false), arm(true)] }
}

#[test]
fn what_is_written_is_read() {
    let text = write(&report()).to_string();
    assert_eq!(read(&serde_json::from_str(&text).unwrap()), Ok(report()));
    let none = Report::default();
    assert_eq!(read(&write(&none)), Ok(none));
}

#[test]
fn what_is_no_report_is_named() {
    let check = |pointer: &str, value: Value, expected: &str| {
        let mut json = write(&report());
        *json.pointer_mut(pointer).unwrap() = value;
        let error = read(&json).unwrap_err();
        assert!(error.contains(expected), "{pointer}: {error}");
    };
    check("", json!([]), "the report is no object");
    check("/process", json!("xyz"), "the report has a `process` that can't be");
    check("/born", json!(-1), "the report has a `born` that can't be: -1");
    check("/arms", json!({}), "`arms`");
    check("/arms/0", json!({}), "the arm has no `latencies`");
    check("/arms/0/route/kind", json!("Ingress"), "the object has a `kind` that can't be");
    check("/arms/0/latencies", json!([[1]]), "`latencies`");
    check("/arms/0/latencies", json!([[169, 1]]), "there is no bucket 169");
    check("/arms/1/dark", json!(1), "`dark`");
}
