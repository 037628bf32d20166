//! `meshctl check` of a cluster: what it needs before an installation, everything after one.

use meshctl::config::{Diagnostic, render};
use meshctl::install::{self, Found, Need, State};
use meshctl::manifest::install::{Settings, objects};
use meshctl::survey::{self, Health};
use serde::Serialize;

use super::{Args, summary};
use crate::args::Format;
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{cluster, version};

/// What JSON and YAML carry.
#[derive(Serialize)]
struct Shown<'a> {
    target: &'a str,
    needs: &'a [Need],
    diagnostics: Vec<render::Row<'a>>,
}

pub fn check(args: &Args, environment: &Environment, output: &mut Output) -> Result<Exit, Failure> {
    output.quiet(args.quiet.quiet);
    cluster::run(async {
        let cluster = cluster::connect(&args.context, environment).await?;
        let found = install::look(&cluster).await?;
        let mut needs = install::needs(&cluster, &found, version::TEXT).await?;
        let mut diagnostics = Vec::new();
        if let Some(controller) = &found.controller {
            let installed = objects(&installed(&found));
            let Health { needs: more, mesh } =
                survey::health(&cluster, controller, &installed).await?;
            needs.extend(more);
            diagnostics = mesh.diagnostics;
        }
        let shown =
            Shown { target: &cluster.name, needs: &needs, diagnostics: render::rows(&diagnostics) };
        show(args, &shown, &diagnostics, output)?;
        output.note(format_args!(
            "cluster {} ({}): {}",
            cluster.name,
            cluster.server,
            count(&needs, &diagnostics)
        ));
        Ok(exit(&needs, &diagnostics, args.strict))
    })
}

/// What this version would install beside what is there.
fn installed(found: &Found) -> Settings {
    let controller = found.controller.clone().unwrap_or_default();
    Settings {
        version: version::TEXT.to_owned(),
        arguments: controller.more_arguments(),
        image: controller.image,
        image_pull_secret: controller.image_pull_secret,
        replicas: controller.replicas,
        service_type: None,
    }
}

fn show(
    args: &Args,
    shown: &Shown<'_>,
    diagnostics: &[Diagnostic],
    output: &mut Output,
) -> Result<(), Failure> {
    match (args.output.format, args.quiet.quiet) {
        (format @ (Format::Json | Format::Yaml), _) => output.object(format, shown),
        (Format::Name, _) | (_, true) => {
            for need in shown.needs.iter().filter(|need| need.state != State::Good) {
                output.line(line(need))?;
            }
            render::lines(diagnostics).into_iter().try_for_each(|line| output.line(line))
        }
        (Format::Table | Format::Wide, false) => {
            let rows = shown.needs.iter().map(|need| {
                let Need { what, state, found, advice } = need;
                [what, state.as_str(), found, advice].map(|text: &str| text.to_owned()).to_vec()
            });
            output.table(&["WHAT", "STATE", "FOUND", "TO DO"], rows.collect())?;
            if diagnostics.is_empty() {
                return Ok(());
            }
            let colour = output.colours();
            output.text("\n")?;
            output.text(render::render(diagnostics, &|_| None, colour))
        }
    }
}

/// In one line, as a diagnostic is.
fn line(need: &Need) -> String {
    let Need { what, state, found, advice } = need;
    let state = state.as_str();
    match advice.as_str() {
        "" => format!("{what}: {state}: {found}"),
        advice => format!("{what}: {state}: {found}; {advice}"),
    }
}

fn count(needs: &[Need], diagnostics: &[Diagnostic]) -> String {
    let of = |state: fn(State) -> bool| needs.iter().filter(|need| state(need.state)).count();
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    summary(of(is_error) + errors, of(is_warning) + diagnostics.len() - errors)
}

fn is_error(state: State) -> bool {
    matches!(state, State::Missing | State::Wrong)
}

/// What couldn't be asked may be wrong.
fn is_warning(state: State) -> bool {
    matches!(state, State::Warning | State::Unknown)
}

pub(super) fn exit(needs: &[Need], diagnostics: &[Diagnostic], strict: bool) -> Exit {
    let bad = |state: State| is_error(state) || strict && is_warning(state);
    let wrong = |diagnostic: &Diagnostic| strict || diagnostic.is_error();
    match needs.iter().any(|need| bad(need.state)) || diagnostics.iter().any(wrong) {
        true => Exit::No,
        false => Exit::Yes,
    }
}
