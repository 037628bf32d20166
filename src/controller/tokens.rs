//! Who a proxy is, or another replica: the API server says whose service-account token it shows.
//!
//! A token counts for our audience alone, so that one which a proxy shows us is worth nothing to
//! the API server, and one made for something else is worth nothing here.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use kube::api::PostParams;
use kube::{Api, Client};

use super::xds::{Admitted, Authenticate, Refused};
use crate::model::{Name, Scope};
use crate::names;

#[cfg(test)]
mod tests;

/// Where a TokenReview says which pod the token was made for.
const POD_NAME: &str = "authentication.kubernetes.io/pod-name";

/// Which ServiceAccount, as namespace and name, may have the parts of which fleet.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts(Arc<RwLock<BTreeMap<(Name, Name), Scope>>>);

impl Accounts {
    pub(super) fn set(&self, accounts: BTreeMap<(Name, Name), Scope>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = accounts;
    }

    fn scope(&self, namespace: &str, name: &str) -> Option<Scope> {
        let accounts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(&(namespace.into(), name.into())).cloned()
    }
}

/// Asks the API server about each token.
pub(super) struct Reviews {
    pub(super) client: Client,
    /// Where the controller runs.
    pub(super) namespace: String,
    pub(super) accounts: Accounts,
}

impl Authenticate for Reviews {
    async fn authenticate(&self, token: &str) -> Result<Admitted, Refused> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                audiences: Some(vec![names::CONTROLLER_NAME.to_owned()]),
                token: Some(token.to_owned()),
            },
            ..TokenReview::default()
        };
        let reviews: Api<TokenReview> = Api::all(self.client.clone());
        let reviewed = reviews.create(&PostParams::default(), &review).await;
        let reviewed = reviewed.map_err(|error| Refused::Unavailable(error.to_string()))?;
        judge(reviewed.status.unwrap_or_default(), &self.namespace, &self.accounts)
    }
}

fn judge(status: TokenReviewStatus, own: &str, accounts: &Accounts) -> Result<Admitted, Refused> {
    let no = |why: String| Err(Refused::Token(why));
    if status.authenticated != Some(true) {
        return no(status.error.unwrap_or_else(|| "the token is not valid".to_owned()));
    }
    // An API server that knows no audiences answers without them: the token may be anybody's.
    let ours = |audience: &String| audience == names::CONTROLLER_NAME;
    if !status.audiences.iter().flatten().any(ours) {
        return no(format!("the token is not meant for {}", names::CONTROLLER_NAME));
    }
    let user = status.user.unwrap_or_default();
    let username = user.username.unwrap_or_default();
    let account =
        username.strip_prefix("system:serviceaccount:").and_then(|name| name.split_once(':'));
    let Some((namespace, name)) = account else {
        return no(format!("`{username}` is not a service account"));
    };
    let pod = user.extra.unwrap_or_default().remove(POD_NAME).unwrap_or_default();
    let pod = pod.first();
    if (namespace, name) == (own, names::CONTROLLER_NAME) {
        let replica = pod.ok_or("the token of a replica is to be bound to its pod");
        return replica
            .map(|pod| Admitted::Replica { name: pod.as_str().into() })
            .or_else(|why| no(why.to_owned()));
    }
    let Some(scope) = accounts.scope(namespace, name) else {
        return no(format!("ServiceAccount {namespace}/{name} belongs to no Gateway of ours"));
    };
    let name = pod.map(|pod| format!("{namespace}/{pod}").into());
    Ok(Admitted::Proxy { scope, name })
}
