//! `meshctl version`

use meshctl::manifest::image::ImageName;
use serde::Serialize;

use crate::args::{Format, OutputFormat, examples};
use crate::exit::{Exit, Failure};
use crate::output::Output;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Set by install.sh: a build script would build everything anew at each commit.
const COMMIT: Option<&str> = option_env!("MESHCTL_COMMIT");

/// What `--version` says.
pub const TEXT: &str = VERSION;

/// What `image save` calls the image and `install` asks for, unless they are told.
pub fn image_name() -> ImageName {
    ImageName::parse(concat!("meshctl:", env!("CARGO_PKG_VERSION"))).expect("a version is a tag")
}

/// Print the version, the commit it was built from, and what it speaks
#[derive(clap::Args)]
#[command(after_help = examples(&["meshctl version", "meshctl version -o json"]))]
pub struct Args {
    #[command(flatten)]
    output: OutputFormat,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: &'static str,
    commit: &'static str,
    platform: String,
    gateway_api: &'static str,
}

pub fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let version = Version {
        version: VERSION,
        commit: COMMIT.filter(|commit| !commit.is_empty()).unwrap_or("unknown"),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        gateway_api: meshctl::names::GATEWAY_API_VERSION,
    };
    match args.output.format {
        Format::Json | Format::Yaml => output.object(args.output.format, &version)?,
        Format::Name => output.line(version.version)?,
        Format::Table | Format::Wide => output.line(format_args!(
            "meshctl {} (commit {}, {}, Gateway API {})",
            version.version, version.commit, version.platform, version.gateway_api
        ))?,
    }
    Ok(Exit::Yes)
}
