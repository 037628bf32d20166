//! What `meshctl canary` and `meshctl dark-launch` share: where rollouts live, which one is meant,
//! and how an ask becomes a change.

pub mod asking;
pub mod begin;
pub mod drive;
pub mod live;
pub mod place;
pub mod show;
pub mod subject;

use meshctl::rollout::directory::HomeError;
use meshctl::rollout::route::RouteError;
use meshctl::rollout::turn::TurnError;
use meshctl::store::StoreError;

use crate::exit::{Exit, Failure};

pub use asking::{Ask, Asking};
pub use place::{Known, Place, Target};

/// Runs what asks and waits. Ctrl-C ends it as it ends any program, unless it listens to signals
/// itself.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    meshctl::identity::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(Exit::CouldNotAsk, format!("can't start the runtime: {error}"))
    })?;
    runtime.block_on(work)
}

/// Whether a rollout is of the command's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Canary,
    DarkLaunch,
}

impl Kind {
    pub fn command(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::DarkLaunch => "dark-launch",
        }
    }

    /// The verb that takes everything back.
    pub fn end(self) -> &'static str {
        match self {
            Self::Canary => "abort",
            Self::DarkLaunch => "stop",
        }
    }

    /// How one is begun.
    pub fn begin(self) -> &'static str {
        match self {
            Self::Canary => {
                "begin one: meshctl canary start --route shop --stable shop-v1 --canary shop-v2"
            }
            Self::DarkLaunch => {
                "begin one: meshctl dark-launch start --route shop --to shop-v2 --percent 20%"
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Cluster(_) | StoreError::Io { .. } | StoreError::Interrupted(_) => {
                Exit::CouldNotAsk
            }
            StoreError::Locked { .. } => Exit::NotYet,
            _ => Exit::No,
        };
        let failure = Self::new(exit, error.to_string());
        match error.advice() {
            Some(advice) => failure.tip(advice),
            None => failure,
        }
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::Store(error) | HomeError::Turn(TurnError::Store(error)) => error.into(),
            HomeError::Turn(error) => Self::new(Exit::No, error.to_string()),
            HomeError::Held(why) => Self::new(Exit::No, why),
            HomeError::Io { .. } => Self::new(Exit::CouldNotAsk, error.to_string()),
        }
    }
}

impl From<RouteError> for Failure {
    fn from(error: RouteError) -> Self {
        Self::new(Exit::No, error.to_string())
    }
}

/// `10%` or `10`: from 0 to 100.
pub fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let percent = number.parse().ok().filter(|percent| digits && *percent <= 100);
    percent.ok_or_else(|| format!("`{text}` is not a percentage: write `0%` to `100%`"))
}
