//! The flags of a proxy that serves what a controller says, as the pods of a Gateway do.

use std::path::PathBuf;

use meshctl::source::remote;

use crate::environment::Environment;
use crate::version;

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Controller {
    /// Serve what this controller says: https://HOST:PORT
    #[arg(long, value_name = "URL", value_parser = url, requires_all = ["controller_ca", "token"])]
    #[arg(conflicts_with_all = ["files", "listen", "targets", "endpoints", "ports", "classes", "access_log"])]
    pub controller: Option<String>,
    /// Who signs the controller's certificate, as PEM
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "controller")]
    pub controller_ca: Option<PathBuf>,
    /// The token that is shown to the controller; read again at each connection
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, requires = "controller")]
    pub token: Option<PathBuf>,
    /// Where to save what the controller says, so that a restart doesn't wait for it
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, requires = "controller")]
    pub state: Option<PathBuf>,
}

impl Controller {
    /// `None` where no controller is asked for.
    pub fn options(self, environment: &Environment) -> Option<remote::Options> {
        let Self { controller, controller_ca, token, state } = self;
        let (url, ca, token) = (controller?, controller_ca?, token?);
        let unnamed = || format!("process-{}", std::process::id());
        let name = environment.pod_name.clone().unwrap_or_else(unnamed);
        let namespace = environment.pod_namespace.clone().unwrap_or_default();
        Some(remote::Options {
            url,
            ca: environment.absolute(&ca),
            token: environment.absolute(&token),
            node: remote::Node {
                namespace: namespace.into(),
                name: name.into(),
                version: version::TEXT.into(),
            },
            state: state.map(|directory| environment.absolute(&directory)),
        })
    }
}

/// Parts hold private keys, so they never travel in the clear.
fn url(text: &str) -> Result<String, String> {
    let authority = text.parse().ok().filter(|url: &http::Uri| url.scheme_str() == Some("https"));
    match authority.as_ref().and_then(http::Uri::host) {
        Some(host) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("a controller is named as https://HOST:PORT".to_owned()),
    }
}
