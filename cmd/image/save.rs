//! `meshctl image save`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use meshctl::manifest::image::{Image, ImageError, ImageName, WriteError};

use crate::args::examples;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::version;

/// The file that this process runs, also where it was replaced meanwhile.
const PROGRAM: &str = "/proc/self/exe";

/// Write this program as an image that containerd, Podman and Docker load
///
/// An OCI archive of one layer: the binary that runs now. The same binary gives the same bytes.
#[derive(clap::Args)]
#[command(after_help = examples(&[
    "meshctl image save --allow-dynamic -o meshctl.tar",
    "meshctl image save --allow-dynamic --tag registry.example.com/meshctl:1 > meshctl.tar",
]))]
pub struct Args {
    /// Where to write the archive [default: standard output]
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// What the image is called [default: meshctl:VERSION]
    #[arg(long, value_name = "NAME", value_parser = ImageName::parse)]
    tag: Option<ImageName>,
    /// CA certificates (PEM) for backends that are checked against `wellKnownCACertificates: System`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    ca_bundle: Option<PathBuf>,
    /// Take this binary even if it needs libraries, which the image doesn't hold
    #[arg(long)]
    allow_dynamic: bool,
}

pub fn run(args: Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    let Args { output: to, tag, ca_bundle, allow_dynamic } = args;
    let to = to.map(|path| environment.absolute(&path));
    let read =
        |path: &Path| std::fs::read(path).map_err(|error| Failure::file("read", path, &error));
    let ca_bundle = ca_bundle.map(|path| read(&environment.absolute(&path))).transpose()?;
    let program = read(Path::new(PROGRAM))?;
    let image = Image {
        name: tag.unwrap_or_else(version::image_name),
        version: version::TEXT,
        program: &program,
        ca_bundle: ca_bundle.as_deref(),
        allow_dynamic,
    };
    if to.is_none() && std::io::stdout().is_terminal() {
        let failure =
            Failure::new(Exit::WrongCommandLine, "an archive is nothing to look at on a terminal");
        return Err(failure.tip(
            "give -o FILE, or send it on: meshctl image save | ctr -n k8s.io images import -",
        ));
    }
    // Whole before a byte is written: what can't be an image leaves no file behind.
    let mut archive = Vec::with_capacity(program.len() + 64 * 1024);
    image.write(&mut archive).map_err(failure)?;
    match &to {
        None => output.bytes(&archive)?,
        Some(path) => {
            std::fs::write(path, &archive).map_err(|error| Failure::file("write", path, &error))?;
            output.note(format_args!("{} is in {}", image.name, path.display()));
            output.note(format_args!(
                "load it with one of\n  ctr -n k8s.io images import {0}\n  docker load -i {0}\n  \
                 podman load -i {0}",
                path.display()
            ));
        }
    }
    Ok(Exit::Yes)
}

fn failure(error: WriteError) -> Failure {
    match error {
        WriteError::Image(error) => {
            let failure = Failure::new(Exit::No, error.to_string());
            match error {
                ImageError::Dynamic => failure.tip(
                    "./install.sh builds one that needs none; --allow-dynamic writes the archive \
                     nevertheless",
                ),
                ImageError::Elf(_) => failure,
            }
        }
        WriteError::Io(error) => {
            Failure::new(Exit::CouldNotAsk, format!("can't make the archive: {error}"))
        }
    }
}
