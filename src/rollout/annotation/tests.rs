use super::*;
use crate::rollout::route::tests::patched;

const TEXT: &str = "2026-11-24T12:00:00Z 0=100,0";

fn returning() -> Returning {
    TEXT.parse().unwrap()
}

#[test]
fn it_comes_and_goes_and_leaves_others_alone() {
    for metadata in [json!({"name": "shop"}), json!({"name": "shop", "annotations": {"team": "a"}})]
    {
        let route = json!({"metadata": metadata});
        let there = patched(&route, &patch(&route, Some(&returning())));
        assert_eq!(there["metadata"]["annotations"][ANNOTATION_RETURN], TEXT);
        assert_eq!(patch(&there, Some(&returning())).0, []);
        let later: Returning = "2026-11-24T13:00:00Z 0=100,0".parse().unwrap();
        let moved = patched(&there, &patch(&there, Some(&later)));
        assert_eq!(moved["metadata"]["annotations"][ANNOTATION_RETURN], later.to_string());
        assert_eq!(patched(&moved, &patch(&moved, None)), route);
        assert_eq!(patch(&route, None).0, []);
    }
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let route = json!({"metadata": {"annotations": {ANNOTATION_RETURN: TEXT, "team": "a"}}});
    let mut other = route.clone();
    other["metadata"]["annotations"][ANNOTATION_RETURN] = json!("2030-01-01T00:00:00Z 0=1,1");
    let kept = other.clone();
    assert!(json_patch::patch(&mut other, &patch(&route, None)).is_err());
    assert_eq!(other, kept);
}

#[test]
fn an_annotation_that_came_meanwhile_stays() {
    for metadata in [json!({"name": "shop"}), json!({"resourceVersion": "7"})] {
        let route = json!({"metadata": metadata});
        let patch = patch(&route, Some(&returning()));
        let mut other = route.clone();
        other["metadata"]["annotations"] = json!({"team": "a"});
        if other["metadata"].get("resourceVersion").is_some() {
            other["metadata"]["resourceVersion"] = json!("8");
        }
        assert!(json_patch::patch(&mut other, &patch).is_err());
        assert_eq!(other["metadata"]["annotations"], json!({"team": "a"}));
    }
}
