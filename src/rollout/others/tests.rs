//! Objects as the tools themselves leave them.

use serde_json::json;

use super::*;
use crate::model::{Kind, Store};
use crate::rollout::route::tests::service;
use crate::rollout::state::Ask;
use crate::rollout::{Canary, DarkLaunch};

fn route(meta: Value) -> Value {
    let mut route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": Kind::HttpRoute.as_str(),
        "metadata": {"name": "podinfo", "namespace": "test", "resourceVersion": "7"},
    });
    for (name, value) in meta.as_object().unwrap() {
        route["metadata"][name] = value.clone();
    }
    route
}

#[test]
fn what_drives_the_weights_is_known_by_name() {
    // Flagger makes the route, and owns it: idle as well as under way.
    let flagger = json!({"ownerReferences": [{
        "apiVersion": "flagger.app/v1beta1", "blockOwnerDeletion": true, "controller": true,
        "kind": "Canary", "name": "podinfo", "uid": "5e1f9b2c-8a7d-4c7e-b9a5-0d2f0b9a6f11"}]});
    // Argo Rollouts' plugin marks it while a canary is under way.
    let label = json!({"labels": {
        "app.kubernetes.io/name": "podinfo",
        "rollouts.argoproj.io/gatewayapi-canary": "in-progress"}});
    let mut named = label.clone();
    named["annotations"] =
        json!({"rollouts.argoproj.io/gatewayapi-active-rollouts": "test/podinfo,test/other"});
    let owned = json!({"ownerReferences": [
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "podinfo", "uid": "1"}]});
    for (meta, said) in [
        (flagger, Some("Flagger (Canary podinfo)")),
        (label, Some("Argo Rollouts")),
        (named, Some("Argo Rollouts (Rollout test/podinfo, test/other)")),
        (owned, Some("Argo Rollouts (Rollout podinfo)")),
        (json!({}), None),
        // Others of these names and groups drive nothing.
        (json!({"ownerReferences": [{"apiVersion": "v1", "kind": "Canary", "name": "x"}]}), None),
        (
            json!({"ownerReferences": [
                {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "name": "x"}]}),
            None,
        ),
    ] {
        let rival = Rival::of(&route(meta.clone())).map(|rival| rival.to_string());
        assert_eq!(rival.as_deref(), said, "{meta}");
    }
    let service = json!({"metadata": {"annotations": {SERVICE_OF_ROLLOUT: "shop"}}});
    let rival = Rival::by_service(&service).map(|rival| rival.to_string());
    assert_eq!(rival.as_deref(), Some("Argo Rollouts (Rollout shop)"));
    assert_eq!(Rival::by_service(&json!({"metadata": {}})), None);
}

#[test]
fn what_writes_the_route_from_a_repository_is_known_by_name() {
    let tracked = |id: &str| json!({"annotations": {"argocd.argoproj.io/tracking-id": id}});
    let managed = |manager: &str| {
        json!({"labels": {"app.kubernetes.io/instance": "shop"}, "managedFields": [
            {"manager": manager, "operation": "Update", "apiVersion": "gateway.networking.k8s.io/v1"}]})
    };
    let flux = |of: &str| {
        json!({"labels": {
            format!("{of}.toolkit.fluxcd.io/name"): "apps",
            format!("{of}.toolkit.fluxcd.io/namespace"): "flux-system"}})
    };
    for (meta, said) in [
        (
            tracked("shop:gateway.networking.k8s.io/HTTPRoute:test/podinfo"),
            Some("Argo CD (Application shop)"),
        ),
        (
            tracked("argocd_shop:gateway.networking.k8s.io/HTTPRoute:test/podinfo"),
            Some("Argo CD (Application argocd_shop)"),
        ),
        // Copied from another object.
        (tracked("shop:gateway.networking.k8s.io/HTTPRoute:test/other"), None),
        (
            json!({"labels": {"argocd.argoproj.io/instance": "shop"}}),
            Some("Argo CD (Application shop)"),
        ),
        (managed("argocd-controller"), Some("Argo CD (Application shop)")),
        // Helm's own label.
        (managed("helm"), None),
        (flux("kustomize"), Some("Flux (Kustomization flux-system/apps)")),
        (flux("helm"), Some("Flux (HelmRelease flux-system/apps)")),
        (json!({}), None),
    ] {
        let keeper = Keeper::of(&route(meta.clone())).map(|keeper| keeper.to_string());
        assert_eq!(keeper.as_deref(), said, "{meta}");
    }
}

/// What is to be copied is YAML, and names what changes.
#[test]
fn the_advice_can_be_copied() {
    let key = |kind| ObjectKey::new(Store::Cluster, kind, "test", "podinfo");
    let rollout = |kind| Rollout {
        key: key(Kind::TrafficRollout),
        route: key(Kind::HttpRoute),
        rule: None,
        ask: Ask::default(),
        kind,
    };
    let canary = rollout(RolloutKind::Canary(Canary {
        stable: service("v1"),
        canary: service("v2"),
        steps: vec![],
        interval: std::time::Duration::from_secs(1),
        gates: Default::default(),
    }));
    let dark = rollout(RolloutKind::DarkLaunch(DarkLaunch { to: service("v2"), percent: 1 }));
    let copied = |keeper: Keeper, rollout: &Rollout| -> Value {
        serde_yaml::from_str(keeper.advice(rollout).split_once(":\n").unwrap().1).unwrap()
    };
    let ignored = copied(Keeper::ArgoCd(None), &canary);
    assert_eq!(
        ignored,
        json!({"spec": {
            "ignoreDifferences": [{
                "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "test",
                "name": "podinfo", "jqPathExpressions": [".spec.rules[].backendRefs"]}],
            "syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]}}})
    );
    let ignored = copied(Keeper::ArgoCd(None), &dark);
    let fields = &ignored["spec"]["ignoreDifferences"][0]["jqPathExpressions"];
    assert_eq!(*fields, json!([".spec.rules[].filters"]));
    let target = json!([{"paths": ["/spec/rules"],
        "target": {"kind": "HTTPRoute", "namespace": "test", "name": "podinfo"}}]);
    let kustomization = copied(Keeper::FluxKustomization("a/b".into()), &canary);
    assert_eq!(kustomization["spec"]["ignore"], target);
    let release = copied(Keeper::FluxHelmRelease("a/b".into()), &canary);
    assert_eq!(release["spec"]["driftDetection"]["ignore"], target);
}
