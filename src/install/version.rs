//! Which version may follow which.

use std::fmt;

/// `1.2.3`, with a `v` before it or without, and whatever stands behind it (`-rc.1`, `+k3s1`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
    /// A release comes after its own candidates.
    released: bool,
    candidate: String,
}

impl Version {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (numbers, candidate) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers = numbers.split('.').map(|number| number.parse::<u32>().ok());
        let (major, minor) = (numbers.next()??, numbers.next()??);
        let patch = numbers.next().map_or(Some(0), |patch| patch)?;
        let whole = numbers.next().is_none();
        let released = candidate.is_empty();
        whole.then(|| Self { major, minor, patch, released, candidate: candidate.to_owned() })
    }
}

/// How what is installed differs from what would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skew {
    /// One step back: what `upgrade` is for.
    Older {
        installed: String,
        own: String,
    },
    /// More than one minor version back: what is between has to be installed first.
    TooOld {
        installed: String,
        own: String,
    },
    Newer {
        installed: String,
        own: String,
    },
    /// Nothing that can be compared.
    Unknown {
        installed: String,
        own: String,
    },
}

/// `None` where both are the same.
pub fn skew(installed: &str, own: &str) -> Option<Skew> {
    let both = (installed.to_owned(), own.to_owned());
    let (Some(there), Some(here)) = (Version::parse(installed), Version::parse(own)) else {
        let (installed, own) = both;
        return (installed != own).then_some(Skew::Unknown { installed, own });
    };
    let (installed, own) = both;
    match there.cmp(&here) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(Skew::Newer { installed, own }),
        std::cmp::Ordering::Less => {
            let near = there.major == here.major && there.minor + 1 >= here.minor;
            Some(if near {
                Skew::Older { installed, own }
            } else {
                Skew::TooOld { installed, own }
            })
        }
    }
}

impl Skew {
    pub fn advice(&self) -> String {
        match self {
            Self::Older { .. } => {
                "`meshctl upgrade --plan` shows what changes, `meshctl upgrade` does it".into()
            }
            Self::TooOld { .. } => "upgrade one minor version after the other".into(),
            Self::Newer { installed, .. } => format!("use meshctl {installed}"),
            Self::Unknown { .. } => {
                "if nobody needs it, delete Deployment meshctl-system/meshctl-controller and install \
                 again"
                    .into()
            }
        }
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older { installed, own } => {
                write!(f, "the cluster runs meshctl {installed}, and this is {own}")
            }
            Self::TooOld { installed, own } => write!(
                f,
                "the cluster runs meshctl {installed}, too far behind {own} to go there in one step"
            ),
            Self::Newer { installed, own } => {
                write!(f, "the cluster runs meshctl {installed}, newer than this {own}")
            }
            Self::Unknown { installed, own } if installed.is_empty() => write!(
                f,
                "the controller that is there doesn't say which version it is, and this is {own}"
            ),
            Self::Unknown { installed, own } => {
                write!(f, "the cluster runs meshctl `{installed}`, which {own} knows nothing of")
            }
        }
    }
}
