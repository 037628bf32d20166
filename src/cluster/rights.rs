//! Who may do what, as the API server answers it.

use std::fmt;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
    SubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};

use super::{Cluster, ClusterError, Resource};

/// A right that somebody may have: `patch deployments.apps in meshctl-system`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    pub verb: String,
    /// Empty for the core group.
    pub group: String,
    /// `deployments`, `gateways/status`.
    pub resource: String,
    /// `None`: all of them.
    pub name: Option<String>,
    /// `None`: in every namespace, or no namespace at all.
    pub namespace: Option<String>,
}

impl Permission {
    pub fn on(verb: &str, resource: &Resource, namespace: Option<&str>) -> Self {
        Self {
            verb: verb.to_owned(),
            group: resource.group().to_owned(),
            resource: resource.plural.to_owned(),
            name: None,
            namespace: namespace.filter(|_| resource.namespaced).map(str::to_owned),
        }
    }

    fn attributes(&self) -> ResourceAttributes {
        let (resource, subresource) = match self.resource.split_once('/') {
            Some((resource, part)) => (resource, Some(part.to_owned())),
            None => (self.resource.as_str(), None),
        };
        ResourceAttributes {
            group: Some(self.group.clone()),
            resource: Some(resource.to_owned()),
            subresource,
            verb: Some(self.verb.clone()),
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            ..ResourceAttributes::default()
        }
    }
}

/// `patch gateways.gateway.networking.k8s.io/status`, as kubectl names resources.
impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (resource, part) = match self.resource.split_once('/') {
            Some((resource, part)) => (resource, Some(part)),
            None => (self.resource.as_str(), None),
        };
        write!(f, "{} {resource}", self.verb)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match part {
            Some(part) => write!(f, "/{part}"),
            None => Ok(()),
        }
    }
}

impl Cluster {
    /// Whether the server would let us.
    pub async fn may(&self, permission: &Permission) -> Result<bool, ClusterError> {
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(permission.attributes()),
                non_resource_attributes: None,
            },
            ..SelfSubjectAccessReview::default()
        };
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let what = || "selfsubjectaccessreviews.authorization.k8s.io".to_owned();
        let params = PostParams::default();
        let answer = self.ask("create", what, api.create(&params, &review)).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    /// Whether the server would let a ServiceAccount. To ask that is a right of its own.
    pub async fn lets(
        &self,
        (namespace, account): (&str, &str),
        permission: &Permission,
    ) -> Result<bool, ClusterError> {
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(format!("system:serviceaccount:{namespace}:{account}")),
                groups: Some(vec![
                    "system:serviceaccounts".to_owned(),
                    format!("system:serviceaccounts:{namespace}"),
                    "system:authenticated".to_owned(),
                ]),
                resource_attributes: Some(permission.attributes()),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let api: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let what = || "subjectaccessreviews.authorization.k8s.io".to_owned();
        let params = PostParams::default();
        let answer = self.ask("create", what, api.create(&params, &review)).await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}
