//! What a configuration comes to, of files or of a cluster: the parts that views show.

use meshctl::config::Diagnostic;
use meshctl::install;
use meshctl::model::Part;
use meshctl::source::Feed;
use meshctl::survey;

use crate::args::{Context, Files, Overrides, Quick};
use crate::cluster;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh::{self, Source};

/// Which configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Target {
    #[command(flatten)]
    pub files: Files,
    #[command(flatten)]
    pub context: Context,
    #[command(flatten)]
    pub overrides: Overrides,
}

pub struct Lowered {
    /// `shop`, or `cluster prod-eu`.
    pub target: String,
    pub parts: Vec<Part>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Target {
    /// Reads and lowers everything once. Files win, unless a context is named.
    pub fn lower(self, environment: &Environment) -> Result<Lowered, Failure> {
        let Self { files, context, overrides } = self;
        if mesh::asks_cluster(&files, &context, environment)? {
            return of_cluster(&context, environment);
        }
        let source = Source::choose(files, Quick::default(), environment)?;
        let (_, update) = Feed::load(source.inputs(&overrides, None)).map_err(|error| {
            Failure::new(Exit::CouldNotAsk, format!("can't read the configuration: {error}"))
        })?;
        Ok(Lowered {
            target: source.to_string(),
            parts: update.changes.upserted,
            diagnostics: update.diagnostics,
        })
    }
}

fn of_cluster(context: &Context, environment: &Environment) -> Result<Lowered, Failure> {
    cluster::run(async {
        let cluster = cluster::connect(context, environment).await?;
        let Some(controller) = install::look(&cluster).await?.controller else {
            let message = format!("meshctl is not installed in cluster {}", cluster.name);
            let failure = Failure::new(Exit::CouldNotAsk, message);
            return Err(failure.tip("`meshctl install` installs it; -f asks files"));
        };
        let mesh = survey::mesh_of(&cluster, &controller).await?;
        Ok(Lowered {
            target: format!("cluster {}", cluster.name),
            parts: mesh.parts,
            diagnostics: mesh.diagnostics,
        })
    })
}
