use k8s_openapi::api::authentication::v1::UserInfo;

use super::*;

fn status(user: &str, audience: &str) -> TokenReviewStatus {
    TokenReviewStatus {
        authenticated: Some(true),
        audiences: Some(vec![audience.to_owned()]),
        user: Some(UserInfo { username: Some(user.to_owned()), ..UserInfo::default() }),
        ..TokenReviewStatus::default()
    }
}

#[test]
fn only_the_account_of_a_fleet_gets_its_parts() {
    let accounts = Accounts::default();
    let scope = Scope { namespace: "shop".into(), name: "front".into(), shared: false };
    accounts.set(BTreeMap::from([(("shop".into(), "front-meshctl".into()), scope.clone())]));
    let account = "system:serviceaccount:shop:front-meshctl";
    let ours = names::CONTROLLER_NAME;
    let admitted = judge(status(account, ours), "meshctl-system", &accounts);
    assert_eq!(admitted, Ok(Admitted::Proxy { scope: scope.clone(), name: None }));
    let mut bound = status(account, ours);
    let extra = BTreeMap::from([(POD_NAME.to_owned(), vec!["front-1".to_owned()])]);
    bound.user = bound.user.map(|user| UserInfo { extra: Some(extra), ..user });
    let name = Some("shop/front-1".into());
    assert_eq!(judge(bound, "meshctl-system", &accounts), Ok(Admitted::Proxy { scope, name }));
    let refused = [
        status(account, "https://kubernetes.default.svc"),
        status("system:serviceaccount:shop:default", ours),
        status("system:serviceaccount:other:front-meshctl", ours),
        status("system:node:one", ours),
        TokenReviewStatus { authenticated: Some(false), ..status(account, ours) },
        TokenReviewStatus { audiences: None, ..status(account, ours) },
    ];
    for status in refused {
        assert!(
            matches!(judge(status.clone(), "meshctl-system", &accounts), Err(Refused::Token(_))),
            "{status:?}"
        );
    }
}

/// Only with a token that was made for a pod of ours, and for this: the one that a replica has for
/// the API server is worth nothing here.
#[test]
fn a_replica_is_the_controller_s_own_account() {
    let accounts = Accounts::default();
    let judge = |status| judge(status, "meshctl-system", &accounts);
    let account = "system:serviceaccount:meshctl-system:meshctl-controller";
    let bound = |account: &str, audience: &str| {
        let extra =
            BTreeMap::from([(POD_NAME.to_owned(), vec!["meshctl-controller-1".to_owned()])]);
        let status = status(account, audience);
        let user = status.user.map(|user| UserInfo { extra: Some(extra), ..user });
        TokenReviewStatus { user, ..status }
    };
    let ours = names::CONTROLLER_NAME;
    let replica = Admitted::Replica { name: "meshctl-controller-1".into() };
    assert_eq!(judge(bound(account, ours)), Ok(replica));
    let refused = [
        status(account, ours),
        bound(account, "https://kubernetes.default.svc"),
        bound("system:serviceaccount:shop:meshctl-controller", ours),
        bound("system:serviceaccount:meshctl-system:default", ours),
    ];
    for status in refused {
        assert!(matches!(judge(status.clone()), Err(Refused::Token(_))), "{status:?}");
    }
}
