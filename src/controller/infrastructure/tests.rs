#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::cluster::{Resource, shown};

fn fleet() -> Fleet {
    Fleet {
        scope: Scope { namespace: "shop".into(), name: "edge".into(), shared: false },
        owner: Some(Owner { kind: "Gateway", name: "edge".into(), uid: "u-1".into() }),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        addresses: Vec::new(),
        ports: BTreeSet::from([80, 443]),
        settings: Settings::default(),
    }
}

fn release() -> Release {
    Release {
        image: "meshctl:1".into(),
        image_pull_secret: None,
        authority: "PEM".into(),
        version: "1".into(),
    }
}

fn find(objects: &[Value], kind: &str) -> Option<Value> {
    objects.iter().find(|object| object["kind"] == kind).cloned()
}

fn made(fleet: &Fleet, kind: &str) -> Value {
    find(&desired(fleet, &release()), kind).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn a_fleet_is_five_objects_of_its_gateway() {
    let mut fleet = fleet();
    fleet.settings.replicas = Some(2);
    let objects = desired(&fleet, &release());
    let kinds: Vec<_> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    let expected = ["ServiceAccount", "ConfigMap", "Service", "Deployment", "PodDisruptionBudget"];
    assert_eq!(kinds, expected);
    for object in &objects {
        assert!(Resource::of(object).is_some(), "{}", shown(object));
        let metadata = &object["metadata"];
        assert_eq!(
            (&metadata["name"], &metadata["namespace"]),
            (&json!("edge-meshctl"), &json!("shop"))
        );
        assert_eq!(
            metadata["ownerReferences"],
            json!([{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
                "name": "edge", "uid": "u-1", "controller": true}])
        );
        assert_eq!(metadata["labels"][names::LABEL_GATEWAY_NAME], "edge");
        assert_eq!(metadata["labels"][names::LABEL_MANAGED_BY], "meshctl");
    }
    assert_eq!(desired(&fleet, &release()), objects, "not the same each time");
    let selector = &objects[3]["spec"]["selector"]["matchLabels"];
    let labels = &objects[3]["spec"]["template"]["metadata"]["labels"];
    for (key, value) in selector.as_object().unwrap() {
        assert_eq!(&labels[key], value);
    }
    assert_eq!(&objects[2]["spec"]["selector"], selector);
}

#[test]
fn labels_and_annotations_of_the_gateway_are_on_everything_but_never_over_ours() {
    let mut fleet = fleet();
    fleet.labels = BTreeMap::from([
        ("team".into(), "a".into()),
        (names::LABEL_FLEET.into(), "another".into()),
    ]);
    fleet.annotations = BTreeMap::from([
        ("note".into(), "b".into()),
        (names::ANNOTATION_CHECKSUM.into(), "mine".into()),
    ]);
    for object in desired(&fleet, &release()) {
        let metadata = &object["metadata"];
        assert_eq!(metadata["labels"]["team"], "a", "{}", shown(&object));
        assert_eq!(metadata["labels"][names::LABEL_FLEET], "edge-meshctl");
        assert_eq!(metadata["annotations"]["note"], "b");
    }
    let pod = &made(&fleet, "Deployment")["spec"]["template"]["metadata"];
    assert_eq!(pod["labels"]["team"], "a");
    assert_eq!(pod["annotations"]["note"], "b");
    assert_ne!(pod["annotations"][names::ANNOTATION_CHECKSUM], "mine");
}

#[test]
fn a_service_has_each_port_once_and_the_address_that_was_asked_for() {
    let mut fleet = fleet();
    fleet.addresses = vec!["192.0.2.1".into(), "192.0.2.2".into()];
    let cases = [
        (ServiceType::LoadBalancer, "loadBalancerIP"),
        (ServiceType::ClusterIp, "clusterIP"),
        (ServiceType::NodePort, "clusterIP"),
    ];
    for (kind, field) in cases {
        fleet.settings.service_type = kind;
        let spec = made(&fleet, "Service")["spec"].clone();
        assert_eq!(spec["type"], kind.as_str());
        assert_eq!(spec[field], "192.0.2.1");
        assert_eq!(spec.get("externalIPs"), None);
        let ports = spec["ports"].as_array().unwrap();
        let numbers: Vec<_> = ports.iter().map(|port| port["port"].as_u64().unwrap()).collect();
        assert_eq!(numbers, [80, 443]);
    }
    fleet.ports.clear();
    assert_eq!(find(&desired(&fleet, &release()), "Service"), None);
    assert!(find(&desired(&fleet, &release()), "Deployment").is_some());
}

#[test]
fn settings_go_where_they_belong() {
    let mut fleet = fleet();
    let spec = made(&fleet, "Deployment")["spec"].clone();
    assert_eq!(spec.get("replicas"), None, "an autoscaler's");
    assert_eq!(spec["template"]["spec"]["terminationGracePeriodSeconds"], 40);
    let container = |fleet: &Fleet| {
        made(fleet, "Deployment")["spec"]["template"]["spec"]["containers"][0].clone()
    };
    assert_eq!(container(&fleet)["resources"]["requests"]["cpu"], "100m");
    fleet.settings.replicas = Some(3);
    fleet.settings.limits = BTreeMap::from([("memory".into(), "1Gi".into())]);
    fleet.settings.drain_timeout = Some(Duration::from_secs(100));
    assert_eq!(container(&fleet)["resources"], json!({"limits": {"memory": "1Gi"}}));
    let spec = made(&fleet, "Deployment")["spec"].clone();
    assert_eq!(spec["replicas"], 3);
    assert_eq!(spec["template"]["spec"]["terminationGracePeriodSeconds"], 110);
}

#[test]
fn budgets_let_nodes_be_emptied() {
    let budget = |replicas: Option<u32>, min_available: Option<&str>| {
        let mut fleet = fleet();
        fleet.settings.replicas = replicas;
        fleet.settings.min_available = min_available.map(Into::into);
        let budget = find(&desired(&fleet, &release()), "PodDisruptionBudget")?;
        let spec = budget["spec"].as_object().unwrap().clone();
        spec.into_iter().find(|(key, _)| key != "selector")
    };
    assert_eq!(budget(None, None), None);
    assert_eq!(budget(Some(1), None), None);
    assert_eq!(budget(Some(2), None), Some(("maxUnavailable".into(), json!(1))));
    assert_eq!(budget(Some(2), Some("1")), Some(("minAvailable".into(), json!(1))));
    assert_eq!(budget(None, Some("50%")), Some(("minAvailable".into(), json!("50%"))));
}

#[test]
fn another_authority_or_image_rolls_the_pods() {
    let fleet = fleet();
    let template = |release: &Release| {
        find(&desired(&fleet, release), "Deployment").unwrap()["spec"]["template"].clone()
    };
    let before = release();
    let changed = [
        Release { authority: "OTHER".into(), ..before.clone() },
        Release { image: "meshctl:2".into(), ..before.clone() },
        Release { image_pull_secret: Some("pull".into()), ..before.clone() },
    ];
    for changed in changed {
        assert_ne!(template(&changed), template(&before), "{changed:?}");
    }
    // A new controller of the same image rolls nothing.
    assert_eq!(template(&Release { version: "2".into(), ..before.clone() }), template(&before));
}

#[test]
fn pods_are_restricted_and_hold_no_key_on_disk() {
    let pod = made(&fleet(), "Deployment")["spec"]["template"]["spec"].clone();
    assert_eq!(pod["automountServiceAccountToken"], false);
    let of_pod = &pod["securityContext"];
    assert_eq!((&of_pod["runAsNonRoot"], &of_pod["runAsUser"]), (&json!(true), &json!(65_532)));
    assert_eq!(of_pod["seccompProfile"]["type"], "RuntimeDefault");
    let container = &pod["containers"][0];
    assert_eq!(
        container["securityContext"],
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]}})
    );
    let volumes = pod["volumes"].as_array().unwrap();
    let mounts = container["volumeMounts"].as_array().unwrap();
    for mount in mounts {
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
        let written = mount["readOnly"] == false;
        assert_eq!(volume["emptyDir"]["medium"] == "Memory", written, "{mount}");
        assert_eq!(volume.get("hostPath"), None);
    }
    assert_eq!(mounts.len(), volumes.len());
    let token = &volumes[1]["projected"]["sources"][0]["serviceAccountToken"];
    assert_eq!(token["audience"], names::CONTROLLER_NAME);
}

#[test]
fn names_fit_and_stay_apart() {
    assert_eq!(object_name("edge"), "edge-meshctl");
    let long = "a".repeat(253);
    let twin = format!("{}b", &long[1..]);
    let names =
        ["a.b", "a-b", "1a", "g-1a", &long, &twin, "a..b", &"a".repeat(55), &"a".repeat(56)];
    let made: BTreeSet<String> = names.iter().map(|name| object_name(name)).collect();
    assert_eq!(made.len(), names.len(), "{made:?}");
    for name in &made {
        let good = name.len() <= 63
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.ends_with("-meshctl")
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(good, "{name}");
    }
    let mut shared = fleet();
    shared.scope =
        Scope { namespace: "meshctl-system".into(), name: "meshctl-shared".into(), shared: true };
    shared.owner =
        Some(Owner { kind: "GatewayClass", name: "meshctl-shared".into(), uid: "u-2".into() });
    assert_eq!(name(&shared), "meshctl-shared");
    assert_eq!(made_for_long_gateway(&long).len(), 63);
}

/// The label of a Gateway whose own name is no label.
fn made_for_long_gateway(gateway: &str) -> String {
    let mut fleet = fleet();
    fleet.owner = Some(Owner { kind: "Gateway", name: gateway.into(), uid: "u".into() });
    let label = made(&fleet, "Service")["metadata"]["labels"][names::LABEL_GATEWAY_NAME].clone();
    label.as_str().unwrap().to_owned()
}

#[test]
fn addresses_are_those_that_answer_on_the_listeners_port() {
    let cases = [
        (
            json!({"spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]}, "status":
                {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"hostname": "a.example"}, {}]}}}),
            vec![("IPAddress", "192.0.2.1"), ("Hostname", "a.example")],
        ),
        (json!({"spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]}}), vec![]),
        (
            json!({"spec": {"type": "NodePort", "clusterIPs": ["10.0.0.1", "fd00::1"]}}),
            vec![("IPAddress", "10.0.0.1"), ("IPAddress", "fd00::1")],
        ),
        (json!({"spec": {"type": "ClusterIP", "clusterIPs": ["None"]}}), vec![]),
        (json!(null), vec![]),
    ];
    for (service, expected) in cases {
        let found = addresses(&service);
        let found: Vec<_> = found.iter().map(|(kind, value)| (*kind, value.as_str())).collect();
        assert_eq!(found, expected, "{service}");
    }
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let mut fleet = fleet();
    let service = json!({"spec": {"type": "LoadBalancer"}, "status":
        {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}});
    let waiting = json!({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}});
    let ready = json!({"status": {"readyReplicas": 1}});
    let stuck = json!({"status": {"conditions": [
        {"type": "Available", "status": "False", "message": "no"},
        {"type": "Progressing", "status": "False", "message": "deadline exceeded"}]}});
    let ask = |fleet: &Fleet, service: Option<&Value>, deployment: Option<&Value>| {
        readiness(fleet, service, deployment)
            .map_err(|error| (error.reason.as_str(), error.message))
    };
    let (reason, message) = ask(&fleet, Some(&waiting), Some(&ready)).unwrap_err();
    assert_eq!(reason, "AddressNotAssigned");
    assert!(message.contains("serviceType: ClusterIP or NodePort"), "{message}");
    assert!(message.contains("meshctl-system/default"), "{message}");
    assert_eq!(ask(&fleet, None, None).unwrap_err().0, "AddressNotAssigned");
    assert_eq!(ask(&fleet, Some(&service), None).unwrap_err().0, "Pending");
    assert_eq!(ask(&fleet, Some(&service), Some(&json!({}))).unwrap_err().0, "Pending");
    let (reason, message) = ask(&fleet, Some(&service), Some(&stuck)).unwrap_err();
    assert_eq!(reason, "NoResources");
    assert!(message.ends_with("deadline exceeded"), "{message}");
    assert_eq!(ask(&fleet, Some(&service), Some(&ready)), Ok(()));

    fleet.addresses = vec!["".into(), "192.0.2.1".into()];
    assert_eq!(ask(&fleet, Some(&service), Some(&ready)), Ok(()));
    fleet.addresses.push("192.0.2.9".into());
    let (reason, message) = ask(&fleet, Some(&service), Some(&ready)).unwrap_err();
    assert_eq!(reason, "AddressNotUsable");
    assert!(message.contains("192.0.2.9"), "{message}");
}
