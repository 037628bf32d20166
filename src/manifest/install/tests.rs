#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use super::*;
use crate::cluster::{Resource, name_of, namespace_of, shown};

fn settings() -> Settings {
    Settings {
        version: "1.2.3".into(),
        image: "meshctl:1.2.3".into(),
        image_pull_secret: None,
        replicas: 2,
        arguments: Vec::new(),
        service_type: None,
    }
}

fn find(objects: &[Value], kind: &str, name: &str) -> Value {
    let found = of_kind(objects, kind).find(|object| name_of(object) == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}")).clone()
}

/// Every string of a tree, with the path to it.
fn strings(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Array(items) => {
            items.iter().for_each(|item| strings(item, &format!("{path}[]"), found));
        }
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| strings(value, &format!("{path}.{key}"), found));
        }
        _ => {}
    }
}

#[test]
fn everything_is_ours_to_find_again_and_of_a_kind_that_can_be_applied() {
    let objects = objects(&settings());
    let names: BTreeSet<_> = objects.iter().map(shown).collect();
    assert_eq!(names.len(), objects.len(), "an object twice: {names:?}");
    for object in &objects {
        assert!(Resource::of(object).is_some(), "{}", shown(object));
        let metadata = &object["metadata"];
        assert_eq!(metadata["labels"][names::LABEL_INSTALLED_BY], "meshctl");
        assert_eq!(metadata["annotations"][names::ANNOTATION_VERSION], "1.2.3");
        let resource = Resource::of(object).unwrap();
        let expected = resource.namespaced.then_some(names::NAMESPACE_SYSTEM);
        assert_eq!(namespace_of(object), expected, "{}", shown(object));
    }
    let kinds: Vec<_> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    let at = |kind: &str| kinds.iter().position(|found| *found == kind).unwrap();
    assert!(at("Namespace") < at("ServiceAccount") && at("ServiceAccount") < at("Deployment"));
    assert_eq!(self::objects(&settings()), objects, "not the same each time");
}

#[test]
fn names_are_those_of_the_table() {
    let objects = objects(&settings());
    for class in [names::GATEWAY_CLASS, names::GATEWAY_CLASS_SHARED] {
        let class = find(&objects, "GatewayClass", class);
        assert_eq!(class["spec"]["controllerName"], names::CONTROLLER);
    }
    let service = find(&objects, "Service", names::CONTROLLER_NAME);
    assert_eq!(service["spec"]["ports"][0]["port"], names::PORT_CONTROLLER);
    let deployment = find(&objects, "Deployment", names::CONTROLLER_NAME);
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], names::PORT_CONTROLLER);
    assert_eq!(container["ports"][1]["containerPort"], names::PORT_OBSERVE);
    assert_eq!(container["env"][0]["name"], names::ENV_POD_NAME);
    let user = &deployment["spec"]["template"]["spec"]["securityContext"]["runAsUser"];
    assert_eq!(*user, super::super::image::USER);
    find(&objects, "Namespace", names::NAMESPACE_SYSTEM);
    let role = find(&objects, "Role", names::CONTROLLER_NAME);
    assert_eq!(role["rules"][1]["resourceNames"], json!([names::CONTROLLER_NAME]));
}

#[test]
fn a_setting_goes_where_it_belongs() {
    let mut settings = settings();
    assert_eq!(of_kind(&objects(&settings), "MeshConfig").count(), 0);
    settings.image = "r.example.com/m:1, --evil".into();
    settings.image_pull_secret = Some("pull".into());
    settings.replicas = 3;
    settings.arguments = vec!["--allow-external-names".into()];
    settings.service_type = Some(ServiceType::NodePort);
    let objects = objects(&settings);
    let deployment = find(&objects, "Deployment", names::CONTROLLER_NAME);
    assert_eq!(deployment["spec"]["replicas"], 3);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["imagePullSecrets"], json!([{"name": "pull"}]));
    let image = settings.image.as_str();
    assert_eq!(pod["containers"][0]["image"], image);
    assert_eq!(
        pod["containers"][0]["args"],
        json!([
            "controller",
            "run",
            "--image",
            image,
            "--image-pull-secret",
            "pull",
            "--allow-external-names"
        ])
    );
    let config = find(&objects, "MeshConfig", names::MESH_CONFIG_DEFAULT);
    assert_eq!(config["spec"], json!({"deployment": {"serviceType": "NodePort"}}));
    let text = render(&objects);
    assert_eq!(yaml::objects(&text).unwrap(), objects, "what is printed is what is applied");
}

/// R35: no verb for later, no wildcard; R36: `restricted`.
#[test]
fn rights_are_listed_and_the_pod_is_restricted() {
    let objects = objects(&settings());
    let mut texts = Vec::new();
    objects.iter().for_each(|object| strings(object, "", &mut texts));
    for (path, text) in texts.iter().filter(|(path, _)| path.contains(".rules[]")) {
        assert!(!text.contains('*'), "{path}: {text}");
    }
    assert_eq!(of_kind(&objects, "Secret").count(), 0);
    let namespace = find(&objects, "Namespace", names::NAMESPACE_SYSTEM);
    let enforced = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(*enforced, "restricted");
    let deployment = find(&objects, "Deployment", names::CONTROLLER_NAME);
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    let container = &pod["containers"][0]["securityContext"];
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(container["readOnlyRootFilesystem"], true);
    assert_eq!(container["capabilities"], json!({"drop": ["ALL"]}));
}

#[test]
fn every_template_is_used() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    let mut files = BTreeSet::new();
    for folder in ["crds", "install"] {
        for entry in std::fs::read_dir(format!("{root}/{folder}")).unwrap() {
            let path = entry.unwrap().path();
            files.insert(format!("{folder}/{}", path.file_stem().unwrap().to_string_lossy()));
        }
    }
    let used: BTreeSet<_> = TEMPLATES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(used, files);
    for (name, text) in TEMPLATES {
        assert!(yaml::objects(text).is_ok_and(|objects| !objects.is_empty()), "{name}");
    }
}

/// In the order of the decoders' documentation.
const KINDS: [&str; 4] = ["Backend", "TrafficPolicy", "MeshConfig", "TrafficRollout"];

/// The decoder's words for a kind: the samples in its documentation, which hold every field.
fn samples() -> Vec<(&'static str, Value)> {
    let sources = [
        include_str!("../../config/decode/meshctl.rs"),
        include_str!("../../config/decode/rollout.rs"),
    ]
    .concat();
    let blocks = sources.split("/// ```yaml\n").skip(1);
    let samples = blocks.map(|block| {
        let block = block.split("/// ```").next().unwrap();
        let text: String =
            block.lines().map(|line| line.trim_start_matches("///").to_owned() + "\n").collect();
        yaml::objects(&text).unwrap().remove(0)
    });
    let samples: Vec<_> = KINDS.into_iter().zip(samples).collect();
    assert_eq!(samples.len(), KINDS.len());
    samples
}

fn schema(kind: &str) -> Value {
    let objects = objects(&settings());
    let definition = of_kind(&objects, "CustomResourceDefinition")
        .find(|definition| definition["spec"]["names"]["kind"] == kind)
        .unwrap();
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// What of a value its schema refuses: names, types, choices and bounds.
fn misfits(value: &Value, schema: &Value, path: &str, found: &mut Vec<String>) {
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some(other) => panic!("{path}: type {other}"),
        None => true,
    };
    let chosen = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    let number = value.as_i64();
    let above = schema["minimum"].as_i64().zip(number).is_none_or(|(least, n)| n >= least);
    let below = schema["maximum"].as_i64().zip(number).is_none_or(|(most, n)| n <= most);
    let pattern = schema["pattern"].as_str().zip(value.as_str());
    let formed =
        pattern.is_none_or(|(pattern, text)| regex::Regex::new(pattern).unwrap().is_match(text));
    if !(fits && chosen && above && below && formed) {
        found.push(format!("{path}: {value}"));
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match (schema["properties"].get(name), schema.get("additionalProperties")) {
            (Some(schema), _) | (None, Some(schema)) => misfits(value, schema, &path, found),
            (None, None) => found.push(format!("{path}: no such field")),
        }
    }
    for item in value.as_array().into_iter().flatten() {
        misfits(item, &schema["items"], &format!("{path}[]"), found);
    }
}

/// What an API server would drop or refuse of a status.
pub(crate) fn misfits_of_status(kind: &str, status: &Value) -> Vec<String> {
    let mut found = Vec::new();
    misfits(status, &schema(kind)["properties"]["status"], "status", &mut found);
    found
}

/// Every field of a schema, but for what Kubernetes and the controller write.
fn fields(schema: &Value, found: &mut BTreeSet<String>) {
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if !["apiVersion", "metadata", "status"].contains(&name.as_str()) {
            found.insert(name.clone());
            fields(schema, found);
        }
    }
    if schema["items"].is_object() {
        fields(&schema["items"], found);
    }
}

#[test]
fn schemas_and_decoders_know_the_same_fields() {
    let mut misfitting = Vec::new();
    for (kind, sample) in samples() {
        misfits(&sample, &schema(kind), kind, &mut misfitting);
    }
    assert!(misfitting.is_empty(), "{misfitting:#?}");
    let decoders = [
        include_str!("../../config/decode/meshctl.rs"),
        include_str!("../../config/decode/deployment.rs"),
        include_str!("../../config/decode/policy.rs"),
        include_str!("../../config/decode/rollout.rs"),
        include_str!("../../config/decode/references.rs"),
        include_str!("../../config/decode.rs"),
    ]
    .concat();
    let mut known = BTreeSet::new();
    for kind in KINDS {
        fields(&schema(kind), &mut known);
    }
    assert!(known.len() > 40, "{known:?}");
    for field in known.iter().filter(|field| *field != "kind") {
        assert!(decoders.contains(&format!("\"{field}\"")), "{field} is decoded nowhere");
    }
}

/// The API server drops what a schema doesn't name: a replica that goes on would not know it.
#[test]
fn a_rollout_s_state_fits_its_status() {
    use crate::rollout::route::{Destination, RuleWeights, Weighed, Weights};
    use crate::rollout::state::{Ask, Event, Intent, Phase, Return, State};
    use crate::rollout::subject::Subject;

    let to = Destination {
        group: names::GROUP_MESHCTL.into(),
        kind: "Backend".into(),
        namespace: "shop".into(),
        name: "v2".into(),
        port: Some(80),
    };
    let weights = Weights(vec![RuleWeights {
        rule: 1,
        backends: vec![Weighed { to: to.clone(), weight: Some(crate::limits::WEIGHT) }],
    }]);
    let at: jiff::Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
    let phases = [
        Phase::Pending,
        Phase::Progressing,
        Phase::Paused,
        Phase::Promoted,
        Phase::Aborted,
        Phase::RolledBack,
    ];
    let mut misfitting = Vec::new();
    for phase in phases {
        let event = Event {
            at,
            phase,
            from: 0,
            to: 100,
            why: "every step has passed".into(),
            by_hand: true,
        };
        let state = State {
            phase,
            weight: 100,
            step: 1,
            since: Some(at),
            message: "promoted by hand".into(),
            subject: Some(Subject {
                kind: "HTTPRoute".into(),
                route: "shop".into(),
                rule: Some("cart".into()),
                stable: Some(to.clone()),
                to: to.clone(),
            }),
            asked: Some(Ask {
                intent: Intent::Promoted,
                weight: Some(5),
                until: Some(at),
                at: Some(at.to_string()),
            }),
            original: Some(weights.clone()),
            written: Some(weights.clone()),
            before: Some(weights.clone()),
            returns: Some(Return { at, to: weights.clone() }),
            history: [event].into(),
        };
        let state = serde_json::to_value(state).unwrap();
        misfitting.extend(misfits_of_status("TrafficRollout", &state));
    }
    assert!(misfitting.is_empty(), "{misfitting:#?}");
}

/// What stands in examples and cases that are right is right for an API server too.
#[test]
fn examples_of_our_kinds_fit_their_schemas() {
    let mut waiting =
        vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/examples"))];
    let mut seen = 0;
    let mut misfitting = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for object in yaml::objects(&text).unwrap() {
                if object["apiVersion"] == names::API_VERSION_MESHCTL {
                    let schema = schema(object["kind"].as_str().unwrap());
                    let spec = &object["spec"];
                    misfits(spec, &schema["properties"]["spec"], "spec", &mut misfitting);
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 3 && misfitting.is_empty(), "{seen}: {misfitting:#?}");
}
