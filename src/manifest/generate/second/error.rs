//! Why there is no second version of what stands in a file.

use std::fmt;

use super::NAME_BYTES;

/// Why there is no second version; a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecondError {
    NoDeployment,
    /// Several, of which one has to be meant.
    Deployments(Vec<String>),
    Services(Vec<String>),
    NotSelected {
        service: String,
        deployment: String,
    },
    Container(Vec<String>),
    Port(String),
    Routes(Vec<String>),
    LongName(String),
    Shape(&'static str),
}

impl fmt::Display for SecondError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDeployment => f.write_str("it holds no Deployment of apps/v1"),
            Self::Deployments(names) => write!(
                f,
                "it holds several Deployments ({}): name the stable Service with --stable",
                names.join(", ")
            ),
            Self::Services(names) => write!(
                f,
                "several Services select these pods ({}): name the stable one with --stable",
                names.join(", ")
            ),
            Self::NotSelected { service, deployment } => {
                write!(f, "Service {service} doesn't select the pods of Deployment {deployment}")
            }
            Self::Container(names) => write!(
                f,
                "the image could be that of several containers ({}): name one with --container",
                names.join(", ")
            ),
            Self::Port(service) => {
                write!(f, "which port of Service {service}? Write --stable {service}:PORT")
            }
            Self::Routes(names) => write!(
                f,
                "several routes send to the stable Service ({}): name one with --route",
                names.join(", ")
            ),
            Self::LongName(name) => {
                write!(f, "`{name}` has more than {NAME_BYTES} characters, which no Service has")
            }
            Self::Shape(what) => write!(f, "its Deployment has no {what}"),
        }
    }
}

impl std::error::Error for SecondError {}
