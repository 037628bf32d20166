#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;

use super::*;
use crate::cluster::Permission;

fn settings(version: &str) -> Settings {
    Settings {
        version: version.into(),
        image: format!("meshctl:{version}"),
        image_pull_secret: None,
        replicas: 2,
        arguments: Vec::new(),
        service_type: None,
    }
}

fn definition(kind: &str, bundle: &str, channel: &str) -> Value {
    let plural = format!("{}s", kind.to_lowercase());
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.gateway.networking.k8s.io"),
            "annotations": {
                "gateway.networking.k8s.io/bundle-version": bundle,
                "gateway.networking.k8s.io/channel": channel,
            },
        },
        "spec": {
            "group": "gateway.networking.k8s.io",
            "names": {"kind": kind},
            "versions": [{"name": "v1", "served": true}, {"name": "v1beta1", "served": false}],
        },
    })
}

const KINDS: [&str; 7] = [
    "GatewayClass",
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
    "ReferenceGrant",
    "BackendTLSPolicy",
    "ListenerSet",
];

fn set(bundle: &str, channel: &str) -> Vec<Value> {
    KINDS.iter().map(|kind| definition(kind, bundle, channel)).collect()
}

fn found(definitions: &[Value], controller: Option<&str>) -> Found {
    Found {
        server: "v1.34.1".into(),
        definitions: definitions.iter().filter_map(Definition::of).collect(),
        own_definitions: definitions::OWN
            .into_iter()
            .filter_map(|kind| Some((kind.to_owned(), controller?.to_owned())))
            .collect(),
        controller: controller
            .map(|version| Controller { version: version.into(), ..Controller::default() }),
        foreign_classes: Vec::new(),
    }
}

fn applied(plan: &Plan) -> usize {
    plan.objects.iter().filter(|object| Definition::of(object).is_some()).count()
}

#[test]
fn an_installation_is_repeated_and_never_goes_back() {
    let here = set("v1.6.0", "standard");
    let ask = |installed: &str| {
        plan(&found(&here, Some(installed)), &settings("0.3.0"), &Definitions::None)
    };
    assert!(ask("0.3.0").is_ok());
    let said = |installed: &str| {
        let refusal = ask(installed).unwrap_err();
        format!("{refusal}: {}", refusal.advice())
    };
    assert_eq!(
        said("0.4.0"),
        "the cluster runs meshctl 0.4.0, newer than this 0.3.0: use meshctl 0.4.0"
    );
    assert!(said("0.2.9").contains("`meshctl upgrade --plan`"));
    assert!(said("0.1.0").contains("too far behind"));
    assert!(said("").contains("doesn't say which version"));
    let up = |installed: Option<&str>| {
        upgrade(&found(&here, installed), &settings("0.3.0"), &Definitions::None)
    };
    assert!(up(Some("0.2.0")).is_ok() && up(Some("0.3.0")).is_ok());
    assert_eq!(up(None).unwrap_err(), Refusal::NotInstalled);
    assert!(matches!(up(Some("0.4.0")), Err(Refusal::Skew(Skew::Newer { .. }))));
    assert!(matches!(up(Some("0.1.0")), Err(Refusal::Skew(Skew::TooOld { .. }))));
}

#[test]
fn definitions_that_are_the_same_or_newer_stay() {
    let these = |bundle: &str, channel: &str| Definitions::These(set(bundle, channel));
    let ask = |there: &[Value], given: &Definitions| {
        plan(&found(there, None), &settings("1.0.0"), given).map(|plan| applied(&plan))
    };
    let standard = set("v1.6.1", "standard");
    assert_eq!(ask(&[], &these("v1.6.1", "standard")), Ok(7));
    assert_eq!(ask(&standard, &these("v1.6.1", "standard")), Ok(0));
    assert_eq!(ask(&standard, &these("v1.6.0", "standard")), Ok(0));
    assert_eq!(ask(&standard, &these("v1.6.2", "standard")), Ok(7));
    assert_eq!(ask(&standard, &these("v1.6.1", "experimental")), Ok(7));
    assert_eq!(ask(&standard, &these("v1.6.0", "experimental")), Ok(0));
    let experimental = set("v1.6.1", "experimental");
    assert_eq!(ask(&experimental, &these("v1.6.1", "experimental")), Ok(0));
    assert_eq!(ask(&experimental, &these("v1.6.1", "standard")), Ok(0));
    let refusal = ask(&experimental, &these("v1.7.0", "standard")).unwrap_err();
    assert!(refusal.to_string().contains("experimental channel"), "{refusal}");
    // Unasked, only what is missing is brought.
    let missing = Definitions::Missing(set("v1.6.1", "standard"));
    assert_eq!(ask(&set("v1.4.0", "experimental")[..4], &missing), Ok(3));
    // One that doesn't say what it is from is somebody's own.
    let mut unsigned = set("", "");
    unsigned.truncate(3);
    assert_eq!(ask(&unsigned, &these("v1.6.1", "standard")), Ok(4));
}

#[test]
fn what_is_missing_is_named() {
    let three = &set("v1.6.1", "standard")[..3];
    let refusal = plan(&found(&three[..2], None), &settings("1.0.0"), &Definitions::None);
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.to_string(), "the cluster has no definition of HTTPRoute");
    assert!(refusal.advice().contains("--crds"), "{}", refusal.advice());
    let plan = plan(&found(three, None), &settings("1.0.0"), &Definitions::None).unwrap();
    assert!(plan.notes[0].contains("GRPCRoute, ReferenceGrant, BackendTLSPolicy"), "{plan:?}");
    let old = found(&set("v1.4.0", "standard"), None);
    let plan = super::plan(&old, &settings("1.0.0"), &Definitions::None).unwrap();
    assert!(plan.notes[0].contains("newer fields are missing"), "{:?}", plan.notes);
}

#[test]
fn a_cluster_that_is_too_old_or_has_our_class_from_others_is_refused() {
    let mut found = found(&set("v1.6.1", "standard"), None);
    for (version, good) in
        [("v1.33.0", true), ("v1.32.9+k3s1", false), ("v2.0.0", true), ("x", true)]
    {
        found.server = version.into();
        assert_eq!(plan(&found, &settings("1.0.0"), &Definitions::None).is_ok(), good, "{version}");
    }
    found.foreign_classes = vec![("meshctl".into(), "example.com/other".into())];
    let refusal = plan(&found, &settings("1.0.0"), &Definitions::None).unwrap_err();
    assert!(refusal.to_string().contains("belongs to example.com/other"), "{refusal}");
}

#[test]
fn versions_are_ordered() {
    let order = ["0.1.0-rc.1", "0.1.0-rc.2", "0.1.0", "0.1.1", "0.2", "v1.0.0", "1.10.0"];
    let parsed: Vec<_> = order.iter().map(|text| Version::parse(text).unwrap()).collect();
    assert!(parsed.is_sorted_by(|one, two| one < two), "{parsed:?}");
    assert_eq!(Version::parse("v1.34.1+k3s1"), Version::parse("1.34.1"));
    for bad in ["", "1", "a.b", "1.2.3.4", "1.2.x", "-1.2"] {
        assert_eq!(Version::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_rollout_is_complete_when_all_of_it_is_new_and_available() {
    let deployment = |generation: u64, seen: u64, [all, updated, available]: [u64; 3]| {
        json!({
            "metadata": {"generation": generation},
            "spec": {"replicas": 2},
            "status": {"observedGeneration": seen, "replicas": all,
                "updatedReplicas": updated, "availableReplicas": available},
        })
    };
    let cases = [
        (deployment(2, 2, [2, 2, 2]), true),
        (deployment(2, 1, [2, 2, 2]), false),
        (deployment(2, 2, [3, 2, 2]), false),
        (deployment(2, 2, [2, 1, 2]), false),
        (deployment(2, 2, [2, 2, 1]), false),
        (json!({}), false),
        (json!(null), false),
    ];
    for (deployment, complete) in cases {
        assert_eq!(Rollout::of(&deployment).complete, complete, "{deployment}");
    }
}

#[test]
fn a_pod_that_does_not_start_says_what_to_do() {
    let pod = |reason: &str| {
        json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [
            {"state": {"waiting": {"reason": reason, "message": "m"}}}]}})
    };
    let trouble = |reason: &str| Trouble::of(&pod(reason));
    assert_eq!(trouble("ContainerCreating"), None);
    for reason in ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"] {
        let trouble = trouble(reason).unwrap();
        assert!(trouble.is_image());
        let advice = trouble.advice("meshctl:1");
        assert!(advice.contains("image save --tag meshctl:1 | ctr -n k8s.io"), "{advice}");
    }
    let crash = trouble("CrashLoopBackOff").unwrap();
    assert!(!crash.is_image() && crash.advice("x").contains("logs p --previous"));
    let unscheduled = json!({"metadata": {"name": "p"}, "status": {"conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "full"}]}});
    assert_eq!(Trouble::of(&unscheduled).unwrap().message, "full");
    assert_eq!(Trouble::of(&json!({"metadata": {"name": "p"}, "status": {}})), None);
}

#[test]
fn differences_are_told_by_path_and_not_for_what_the_server_keeps() {
    let before = json!({"metadata": {"generation": 1, "labels": {"a": "1"}}, "status": {"x": 1},
        "spec": {"list": [{"image": "a"}, 2], "gone": 1}});
    let after = json!({"metadata": {"generation": 2, "labels": {"a": "1", "b": "2"}},
        "status": {"x": 2}, "spec": {"list": [{"image": "b"}, 2]}});
    let found = changes::differences(&before, &after);
    assert_eq!(found, [".metadata.labels.b", ".spec.list[0].image", ".spec.gone"]);
    assert!(changes::differences(&before, &before).is_empty());
}

#[test]
fn what_an_installation_needs_is_listed() {
    let states = |found: &Found, refused: &[Permission]| {
        let needs = needs::judge(found, refused, "1.0.0");
        let row = |need: Need| format!("{}: {}: {}", need.what, need.state.as_str(), need.found);
        needs.into_iter().map(row).collect::<Vec<_>>()
    };
    let all = set("v1.6.1", "standard");
    let before = found(&all, None);
    assert_eq!(
        states(&before, &[]),
        [
            "Kubernetes: good: v1.34.1",
            "Gateway API: good: v1.6.1 (standard)",
            "permissions: good: what `meshctl install` needs",
            "controller: missing: not installed",
        ]
    );
    let refused: Vec<_> = permissions().take(3).collect();
    let nothing = Found { server: "v1.30.0".into(), ..found(&[], None) };
    assert_eq!(
        states(&nothing, &refused)[..3],
        [
            "Kubernetes: missing: v1.30.0".to_owned(),
            format!("Gateway API: missing: none; missing: {}", KINDS.join(", ")),
            "permissions: missing: not allowed: create namespaces, patch namespaces, create \
             customresourcedefinitions.apiextensions.k8s.io"
                .to_owned(),
        ]
    );
    let mut after = found(&all[..3], Some("0.9.0"));
    after.controller.as_mut().unwrap().replicas = 2;
    after.own_definitions.insert("backends".into(), "0.8.0".into());
    assert_eq!(
        states(&after, &[])[1..],
        [
            "Gateway API: warning: v1.6.1 (standard); missing: GRPCRoute, ReferenceGrant, \
             BackendTLSPolicy, ListenerSet",
            "version: warning: the cluster runs meshctl 0.9.0, too far behind 1.0.0 to go there in \
             one step",
            "meshctl.dev: warning: backends of 0.8.0; the controller is 0.9.0",
            "controller: missing: 0 of 2 replicas are available",
        ]
    );
}

#[test]
fn our_own_definitions_are_those_of_the_templates() {
    let objects = install::objects(&settings("1.2.3"));
    let own: Vec<_> = objects.iter().filter_map(definitions::own).collect();
    assert_eq!(own, definitions::OWN.map(|kind| (kind.to_owned(), "1.2.3".to_owned())));
    let mut found = found(&set("v1.6.1", "standard"), Some("1.0.0"));
    found.own_definitions.remove("meshconfigs");
    let needs = needs::judge(&found, &[], "1.0.0");
    let row = needs.iter().find(|need| need.what == "meshctl.dev").unwrap();
    assert_eq!((row.state, row.found.as_str()), (State::Missing, "missing: meshconfigs"));
}

#[test]
fn an_empty_cluster_gets_all_that_is_needed() {
    use crate::manifest::gateway_api::{Channel, definitions};
    let missing = Definitions::Missing(definitions(Channel::Standard));
    let plan = plan(&found(&[], None), &settings("1.0.0"), &missing).unwrap();
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
    assert_eq!(applied(&plan), missing.objects().len());
    let experimental = Definitions::These(definitions(Channel::Experimental));
    let standard = definitions(Channel::Standard);
    let plan = super::plan(&found(&standard, None), &settings("1.0.0"), &experimental).unwrap();
    assert_eq!(applied(&plan), standard.len(), "the channel changes where that is asked for");
}

#[test]
fn what_the_controller_was_told_beside_its_image_is_kept() {
    let kept = |arguments: &str| {
        let arguments = arguments.split(' ').map(str::to_owned).collect();
        Controller { arguments, ..Controller::default() }.more_arguments().join(" ")
    };
    assert_eq!(kept("controller run --image m:1 --image-pull-secret pull"), "");
    assert_eq!(kept("controller run --image=m:1 --image-pull-secret=pull -v"), "-v");
    assert_eq!(
        kept("controller run --allow-local-backends --image m:1 --observe [::]:9 -v"),
        "--allow-local-backends --observe [::]:9 -v"
    );
    assert_eq!(kept(""), "");
}
