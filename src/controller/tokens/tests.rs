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
    let admitted = judge(status(account, ours), &accounts);
    assert_eq!(admitted, Ok(Admitted { scope: scope.clone(), name: None }));
    let mut bound = status(account, ours);
    let extra = BTreeMap::from([(POD_NAME.to_owned(), vec!["front-1".to_owned()])]);
    bound.user = bound.user.map(|user| UserInfo { extra: Some(extra), ..user });
    let name = Some("shop/front-1".into());
    assert_eq!(judge(bound, &accounts), Ok(Admitted { scope, name }));
    let refused = [
        status(account, "https://kubernetes.default.svc"),
        status("system:serviceaccount:shop:default", ours),
        status("system:serviceaccount:other:front-meshctl", ours),
        status("system:node:one", ours),
        TokenReviewStatus { authenticated: Some(false), ..status(account, ours) },
        TokenReviewStatus { audiences: None, ..status(account, ours) },
    ];
    for status in refused {
        assert!(matches!(judge(status.clone(), &accounts), Err(Refused::Token(_))), "{status:?}");
    }
}
