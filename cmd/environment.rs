//! The environment, read once: nothing else in the program looks at a variable, the arguments or
//! the current directory.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use meshctl::names;
use meshctl::proxy::systemd;
use meshctl::proxy::takeover::Listening;

use crate::exit::{Exit, Failure};

/// Whether to colour, as far as the environment decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// On a terminal.
    Auto,
    Never,
    Always,
}

/// An empty variable counts as unset, as most shells' users mean it.
#[derive(Clone, Debug)]
pub struct Environment {
    pub arguments: Vec<OsString>,
    pub current_dir: PathBuf,
    pub colour: Colour,
    /// `COLUMNS`.
    pub columns: Option<usize>,
    pub home: Option<PathBuf>,
    /// `MESHCTL_CONFIG`: what `-f` is where none is given.
    pub config: Option<PathBuf>,
    /// `MESHCTL_RUN_DIR`: where control sockets live.
    pub run_dir: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// Who this is, as the system numbers users.
    pub user: Option<u32>,
    /// `MESHCTL_LOG`: a filter such as `info,meshctl::proxy=debug`.
    pub log: Option<String>,
    /// `KUBECONFIG`, or the file that kubectl looks for without it.
    pub kubeconfig: Vec<PathBuf>,
    /// Whether this process runs in a pod: `KUBERNETES_SERVICE_HOST`.
    pub in_cluster: bool,
    /// `POD_NAME` and `POD_NAMESPACE`: as the manifests of `meshctl install` say them.
    pub pod_name: Option<String>,
    pub pod_namespace: Option<String>,
    /// `POD_IP`, likewise.
    pub pod_ip: Option<IpAddr>,
    /// `NOTIFY_SOCKET`: the service manager's.
    pub notify_socket: Option<OsString>,
    /// `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`.
    pub listen: [Option<String>; 3],
    /// `TMPDIR`, or where temporary files are kept without it.
    pub temporary: PathBuf,
    /// The path of this binary, where the system tells it.
    pub program: Option<PathBuf>,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub fn read() -> Self {
        Self {
            arguments: std::env::args_os().collect(),
            // A removed current directory leaves relative paths to fail one by one, by name.
            current_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            program: std::env::current_exe().ok(),
            user: Some(rustix::process::geteuid().as_raw()),
            ..Self::from_variables(|name| std::env::var_os(name))
        }
    }

    /// The part that variables decide, so that tests need not change the process.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).and_then(|value| value.into_string().ok());
        Self {
            arguments: Vec::new(),
            current_dir: PathBuf::from("."),
            colour: colour(&text),
            columns: text("COLUMNS").and_then(|columns| columns.parse().ok()),
            home: set("HOME").map(PathBuf::from),
            config: set(names::ENV_CONFIG).map(PathBuf::from),
            run_dir: set(names::ENV_RUN_DIR).map(PathBuf::from),
            runtime_dir: set("XDG_RUNTIME_DIR").map(PathBuf::from),
            user: None,
            log: text(names::ENV_LOG),
            kubeconfig: kubeconfig(&set),
            in_cluster: set("KUBERNETES_SERVICE_HOST").is_some(),
            pod_name: text(names::ENV_POD_NAME),
            pod_namespace: text(names::ENV_POD_NAMESPACE),
            pod_ip: text(names::ENV_POD_IP).and_then(|ip| ip.parse().ok()),
            notify_socket: set("NOTIFY_SOCKET"),
            listen: ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].map(text),
            temporary: set("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from),
            program: None,
        }
    }

    /// Sockets that the service manager passed to this process. To be called once.
    pub fn listen_sockets(&self) -> Result<Vec<Listening>, Failure> {
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::new(
                Exit::CouldNotAsk,
                format!("can't use the service manager's sockets: {error}"),
            )
        };
        let [pid, fds, names] = &self.listen;
        let variables = systemd::ListenVariables {
            pid: pid.as_deref(),
            fds: fds.as_deref(),
            names: names.as_deref(),
        };
        let passed =
            systemd::listen_fds(variables, std::process::id()).map_err(|error| wrong(&error))?;
        let taken = systemd::take_fds(passed).map_err(|error| wrong(&error))?;
        taken
            .into_iter()
            .map(|(socket, _)| Listening::of(socket).map_err(|error| wrong(&error)))
            .collect()
    }

    /// `path` as seen from here.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.current_dir.join(path)
    }
}

fn kubeconfig(set: &impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    match set("KUBECONFIG") {
        Some(paths) => {
            std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty()).collect()
        }
        None => {
            set("HOME").map(|home| PathBuf::from(home).join(".kube/config")).into_iter().collect()
        }
    }
}

/// <https://no-color.org> and <https://bixense.com/clicolors>: NO_COLOR wins.
fn colour(text: &impl Fn(&str) -> Option<String>) -> Colour {
    if text("NO_COLOR").is_some() {
        Colour::Never
    } else if text("CLICOLOR_FORCE").is_some_and(|force| force != "0") {
        Colour::Always
    } else if text("CLICOLOR").as_deref() == Some("0") || text("TERM").as_deref() == Some("dumb") {
        Colour::Never
    } else {
        Colour::Auto
    }
}
