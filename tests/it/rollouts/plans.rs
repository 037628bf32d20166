//! Plans that are edited while they run.

use super::*;

/// Whoever edits the plan to another version means another rollout, and the runner goes on to it.
#[tokio::test]
async fn a_plan_with_another_version_begins_anew() {
    let shop = Shop::open().await;
    let third = backend("shop-v3", &[&shop.versions[1].address], "");
    fs::write(shop.path("third.yaml"), third).unwrap();
    let runner = shop.start(&format!("{START} --steps 20 --interval 10m"));
    shop.until("the first step", |status| status["weight"] == 20 && !status["since"].is_null())
        .await;
    let plan = shop.path(".meshctl/rollouts/shop.yaml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("name: shop-v2", "name: shop-v3")).unwrap();
    let anew = |status: &Value| {
        status["weight"] == 20 && !status["since"].is_null() && status["phase"] == "Progressing"
    };
    let until = shop.until("the other version", |status| {
        anew(status) && status["history"].as_array().is_some_and(|all| all.len() == 5)
    });
    until.await;
    assert!(shop.route().contains("name: shop-v3"), "{}", shop.route());
    assert!(!shop.route().contains("name: shop-v2"), "{}", shop.route());
    shop.done("meshctl canary abort").await;
    assert_eq!(shop.route(), ROUTE);
    drop(runner);
}
