use kube::{Client, Config};
use serde_json::json;

use super::*;

fn deployer() -> Deployer {
    crate::identity::install_provider();
    let config = Config::new("http://127.0.0.1:1".parse().unwrap());
    let client = Client::try_from(config).unwrap();
    let release = Release {
        image: "meshctl:1".to_owned(),
        image_pull_secret: None,
        authority: String::new(),
        version: "1".to_owned(),
    };
    Deployer::new(Cluster::of(client, "test"), release)
}

/// A controller that has just begun knows of no Gateway: that must not be taken for "none is
/// wanted". It once deleted every Gateway's proxies when all replicas had been killed.
#[tokio::test]
async fn nothing_is_removed_before_everything_has_been_read() {
    let mut deployer = deployer();
    let place = ("shop".into(), "front-meshctl".into());
    let labels = json!({ names::LABEL_FLEET: "front-meshctl" });
    let deployment = json!({ "metadata": { "labels": labels }, "status": {} });
    deployer.lead(true);
    deployer.seen(Seen::Deployment, &place, Some(&deployment));
    assert_eq!(deployer.unplanned(), Vec::new());
    deployer.plan(BTreeMap::new());
    assert_eq!(deployer.unplanned(), vec![place], "now it is known that nobody wants it");
}
