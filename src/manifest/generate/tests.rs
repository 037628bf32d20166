use serde_json::{Value, json};

use super::*;

/// The templates as plans of each kind with everything that can be given.
#[test]
fn every_slot_can_be_given() {
    let text = |text: &str| text.to_owned();
    let to = Target::parse("Backend/legacy").unwrap();
    let backend = Backend {
        name: text("a"),
        namespace: Some(text("n")),
        endpoints: vec![text("h:1")],
        tls: true,
    };
    let subject =
        Subject { name: text("a"), namespace: Some(text("n")), route: text("r"), grpc: true };
    let plans = [
        Gateway {
            name: text("a"),
            namespace: Some(text("n")),
            class: text("c"),
            listen: vec![Listen { tls: true, port: 443 }],
            hostnames: vec![text("h")],
            certificates: vec![text("s")],
        }
        .plan(),
        Route {
            name: text("a"),
            namespace: Some(text("n")),
            grpc: false,
            gateways: vec![Parent::parse("n/g/l").unwrap()],
            hostnames: vec![text("h")],
            paths: vec![text("/")],
            to: vec![to.clone()],
        }
        .plan(),
        backend.plan(),
        Ambassador { backend, local_port: 1, hostname: Some(text("h")) }.plan(),
        Canary {
            subject: subject.clone(),
            stable: to.clone(),
            canary: to.clone(),
            steps: vec![1],
            interval: text("5m"),
            error_rate: Some(text("1%")),
            p99: Some(text("1s")),
            min_requests: Some(1),
        }
        .plan(),
        DarkLaunch { subject, to, percent: 20 }.plan(),
    ];
    assert_eq!(plans.len(), TEMPLATES.len());
    for plan in plans {
        let (_, slots) = template(plan.kind).unwrap();
        for slot in slots {
            assert!(plan.values.contains_key(slot.name), "{}: {}", plan.kind, slot.name);
        }
        assert_eq!(plan.values.len(), slots.len(), "{}", plan.kind);
        assert!(plan.objects(None).is_ok(), "{}", plan.kind);
    }
}

#[test]
fn flags_are_read_or_say_what_to_write() {
    assert_eq!(Listen::parse("80"), Ok(Listen { tls: false, port: 80 }));
    assert_eq!(Listen::parse("https:443"), Ok(Listen { tls: true, port: 443 }));
    for bad in ["", "0", "65536", "TCP:1", "HTTP:", "+80"] {
        assert!(Listen::parse(bad).is_err(), "{bad}");
    }
    let target = Target::parse("svc/shop:80=90").unwrap();
    assert_eq!((target.backend, target.port, target.weight), (false, Some(80), Some(90)));
    assert!(Target::parse_with_port("Backend/legacy=1").unwrap().backend);
    for bad in ["shop", "shop:0", "shop:80=x", "shop:80=-1", ":80", "Pod/x:1", "Backend/x:80"] {
        assert!(Target::parse_with_port(bad).is_err(), "{bad}");
    }
    for bad in ["", "a/b/c/d", "a/", "/a"] {
        assert!(Parent::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(percent("20%"), Ok(20));
    for bad in ["", "%", "0", "101", "1.5", "+1", "20%%"] {
        assert!(percent(bad).is_err(), "{bad}");
    }
    assert_eq!(steps("1, 5%,25"), Ok(vec![1, 5, 25]));
    for bad in ["", "5,5", "5,1", "1,,2"] {
        assert!(steps(bad).is_err(), "{bad}");
    }
}

/// An object, with the fields that a test is about.
fn deployment(labels: &Value, selector: &Value, containers: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "shop", "uid": "x", "annotations": {"deployment.kubernetes.io/revision": "3"}},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": labels}, "spec": {
                "containers": containers,
                "topologySpreadConstraints": [{"labelSelector": {"matchLabels": selector}}],
            }},
        },
        "status": {"replicas": 3},
    })
}

fn service(name: &str, selector: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "resourceVersion": "7"},
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.0.0.1", "selector": selector,
            "ports": [{"name": "http", "port": 80, "targetPort": "web", "nodePort": 30080}],
        },
    })
}

fn second(objects: &[Value]) -> Result<Copied, SecondError> {
    let stable = None;
    SecondVersion { objects, image: "shop:2", container: None, stable, route: None }.copy()
}

fn one_container() -> Value {
    json!([{"name": "web", "image": "shop:1", "ports": [{"containerPort": 8080}]}])
}

#[test]
fn the_second_version_is_selected_by_its_own_service_alone() {
    let both = json!({"app": "shop", "tier": "web"});
    let cases = [
        (json!({"app": "shop"}), json!({"app": "shop"})),
        // The Service asks for less, for more, and for something else than the Deployment.
        (json!({"tier": "web"}), both.clone()),
        (both.clone(), json!({"app": "shop"})),
        (json!({"tier": "web"}), json!({"app": "shop"})),
    ];
    for (asked, own) in cases {
        let objects = [deployment(&both, &own, &one_container()), service("front", &asked)];
        let copied = second(&objects).unwrap();
        let pods = |one: &Value| one["spec"]["template"]["metadata"]["labels"].clone();
        let matches = |selector: &Value, labels: &Value| {
            selector.as_object().unwrap().iter().all(|(key, value)| labels[key] == *value)
        };
        let (old, new) = (pods(&objects[0]), pods(&copied.deployment));
        let own_new = &copied.deployment["spec"]["selector"]["matchLabels"];
        assert!(!matches(&asked, &new) && !matches(&own, &new), "{asked} {own} {new}");
        assert!(!matches(&copied.service["spec"]["selector"], &old), "{asked} {own}");
        assert!(matches(&copied.service["spec"]["selector"], &new), "{asked} {own}");
        assert!(!matches(own_new, &old) && matches(own_new, &new), "{asked} {own}");
        let spread = "/spec/template/spec/topologySpreadConstraints/0/labelSelector/matchLabels";
        assert!(matches(copied.deployment.pointer(spread).unwrap(), &new), "{asked} {own}");
        assert_eq!(copied.deployment["metadata"], json!({"name": "shop-canary"}));
        assert!(copied.deployment.get("status").is_none());
        assert_eq!(
            copied.service["spec"]["ports"][0],
            json!({"name": "http", "port": 80, "targetPort": "web"})
        );
        assert_eq!(
            (copied.stable.name.as_str(), copied.canary.name.as_str()),
            ("front", "front-canary")
        );
    }
}

#[test]
fn without_the_service_every_label_changes() {
    let labels = json!({"app": "shop", "tier": "web"});
    let copied = second(&[deployment(&labels, &labels, &one_container())]).unwrap();
    let new = &copied.deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(*new, json!({"app": "shop-canary", "tier": "web-canary"}));
    assert_eq!(copied.canary, Target::service("shop-canary", 8080));
    assert!(copied.notes[0].contains("not in the file"), "{:?}", copied.notes);
}

#[test]
fn the_image_is_that_of_its_repository() {
    let labels = json!({"app": "shop"});
    let two = |second: &str| {
        let image = |name: &str, image: &str| json!({"name": name, "image": image});
        [deployment(
            &labels,
            &labels,
            &json!([image("log", second), image("web", "shop:1@sha256:0")]),
        )]
    };
    let images = |objects: &[Value]| {
        let stable = Target::parse("shop:80").unwrap();
        let made = SecondVersion {
            objects,
            image: "shop:2",
            container: None,
            stable: Some(&stable),
            route: None,
        };
        made.copy().map(|copied| {
            copied.deployment["spec"]["template"]["spec"]["containers"][1]["image"].clone()
        })
    };
    assert_eq!(images(&two("registry:5000/log")), Ok(json!("shop:2")));
    let names = ["log", "web"].map(str::to_owned).to_vec();
    assert_eq!(images(&two("shop")), Err(SecondError::Container(names)));
}

#[test]
fn the_route_of_the_file_stands_at_100_to_0() {
    let labels = json!({"app": "shop"});
    let route = json!({
        "kind": "HTTPRoute", "metadata": {"name": "shop"},
        "spec": {"rules": [
            {"backendRefs": [{"name": "shop", "port": 80}]},
            {"backendRefs": [{"name": "shop", "port": 80, "weight": 3}, {"name": "other", "port": 80}]},
            {"backendRefs": [{"name": "other", "port": 80}]},
        ]},
    });
    let objects = [deployment(&labels, &labels, &one_container()), service("shop", &labels), route];
    let route = second(&objects).unwrap().route.unwrap();
    let weights: Vec<Vec<(String, Value)>> = route["spec"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            let list = rule["backendRefs"].as_array().unwrap().iter();
            list.map(|one| (one["name"].as_str().unwrap().to_owned(), one["weight"].clone()))
                .collect()
        })
        .collect();
    let pair = |name: &str, weight: Value| (name.to_owned(), weight);
    assert_eq!(
        weights,
        [
            vec![pair("shop", json!(100)), pair("shop-canary", json!(0))],
            vec![pair("shop", json!(3)), pair("shop-canary", json!(0)), pair("other", Value::Null)],
            vec![pair("other", Value::Null)],
        ]
    );
}

#[test]
fn what_is_not_clear_is_asked_for() {
    let labels = json!({"app": "shop"});
    let one = deployment(&labels, &labels, &one_container());
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(second(&[]), Err(SecondError::NoDeployment));
    let services = [one.clone(), service("a", &labels), service("b", &labels)];
    assert_eq!(second(&services), Err(SecondError::Services(names(&["a", "b"]))));
    assert_eq!(
        second(&[one.clone(), one.clone()]),
        Err(SecondError::Deployments(names(&["shop", "shop"])))
    );
    let bare = deployment(&labels, &labels, &json!([{"name": "web", "image": "shop:1"}]));
    assert_eq!(second(&[bare]), Err(SecondError::Port("shop".into())));
    assert_eq!(
        second(&[deployment(&labels, &labels, &json!([]))]).unwrap_err().to_string(),
        "which port of Service shop? Write --stable shop:PORT"
    );
    let mut long = one;
    long["metadata"]["name"] = "x".repeat(60).into();
    assert!(matches!(second(&[long]), Err(SecondError::LongName(_))));
}
