//! The rights that the controller needs, from the roles that `meshctl install` gives it: one list
//! alone, so that what is asked for is what is given.

use futures_util::stream::{self, StreamExt};
use serde_json::Value;

use crate::cluster::{Cluster, ClusterError, Permission, name_of, namespace_of};
use crate::limits;
use crate::manifest::install::of_kind;
use crate::names;

/// Every verb of every rule of the controller's own roles.
pub(super) fn needed(objects: &[Value]) -> Vec<Permission> {
    let roles = of_kind(objects, "ClusterRole").chain(of_kind(objects, "Role"));
    roles.filter(|role| name_of(role) == names::CONTROLLER_NAME).flat_map(of_role).collect()
}

fn of_role(role: &Value) -> Vec<Permission> {
    let texts = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let namespace = namespace_of(role).map(str::to_owned);
    let mut needed = Vec::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        let names = texts(&rule["resourceNames"]);
        let names: Vec<Option<String>> =
            if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    needed.extend(names.iter().map(|name| Permission {
                        verb: verb.clone(),
                        group: group.clone(),
                        resource: resource.clone(),
                        name: name.clone(),
                        namespace: namespace.clone(),
                    }));
                }
            }
        }
    }
    needed
}

/// Those that the controller's ServiceAccount doesn't have.
pub(super) async fn lacking(
    cluster: &Cluster,
    needed: Vec<Permission>,
) -> Result<Vec<Permission>, ClusterError> {
    let account = (names::NAMESPACE_SYSTEM, names::CONTROLLER_NAME);
    let mut asked = stream::iter(needed)
        .map(|permission| async move {
            let has = cluster.lets(account, &permission).await?;
            Ok::<_, ClusterError>((!has).then_some(permission))
        })
        .buffered(limits::RIGHTS_ASKED);
    let mut lacking = Vec::new();
    while let Some(answer) = asked.next().await {
        lacking.extend(answer?);
    }
    Ok(lacking)
}
