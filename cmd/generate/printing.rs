//! What all kinds of `meshctl generate` share: where a template comes from, and how objects are
//! printed. What is printed was read as `meshctl check` reads it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use meshctl::config::decode;
use meshctl::limits;
use meshctl::manifest::generate::{self, Plan};
use meshctl::manifest::template;
use meshctl::model::Store;
use meshctl::yaml;
use serde_json::{Value, json};

use crate::args::{Format, Quiet};
use crate::environment::Environment;
use crate::exit::{Exit, Failure};
use crate::mesh::is_standard_input;
use crate::output::Output;

#[derive(clap::Args)]
pub struct Printing {
    /// The namespace that is written into the objects
    #[arg(short = 'n', long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Fill in templates of your own: DIR/KIND.yaml
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    templates: Option<PathBuf>,
    /// How to write the answer
    #[arg(short = 'o', long = "output", value_name = "FORMAT", default_value = "yaml")]
    format: ObjectFormat,
    #[command(flatten)]
    pub quiet: Quiet,
}

/// Objects are no table.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum ObjectFormat {
    Yaml,
    /// One object, or a List of them
    Json,
    /// KIND/NAME, one per line
    Name,
}

impl Printing {
    /// The plan's objects, from the template that was asked for.
    pub fn objects(&self, plan: &Plan, environment: &Environment) -> Result<Vec<Value>, Failure> {
        let Some(directory) = &self.templates else {
            return Ok(plan.objects(None).expect("a test fills our own templates with everything"));
        };
        let path = directory.join(plan.kind).with_extension("yaml");
        let placeholders = || {
            let slots = generate::template(plan.kind).map_or(&[][..], |(_, slots)| slots);
            let names: Vec<&str> = slots.iter().map(|slot| slot.name).collect();
            format!("the placeholders of {} are {}", plan.kind, template::listed(&names))
        };
        let text = read(&path, environment).map_err(|failure| failure.tip(placeholders()))?;
        plan.objects(Some(&text)).map_err(|error| {
            let message = format!("{} can't be filled in: {error}", path.display());
            Failure::new(Exit::No, message).tip(placeholders())
        })
    }

    pub fn print(&self, objects: &[Value], output: &mut Output) -> Result<Exit, Failure> {
        check(objects)?;
        print(objects, self.format, output)?;
        Ok(Exit::Yes)
    }
}

pub fn print(objects: &[Value], format: ObjectFormat, output: &mut Output) -> Result<(), Failure> {
    match (format, objects) {
        (ObjectFormat::Yaml, _) => output.text(generate::render(objects)),
        (ObjectFormat::Json, [only]) => output.object(Format::Json, only),
        (ObjectFormat::Json, several) => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": several});
            output.object(Format::Json, &list)
        }
        (ObjectFormat::Name, _) => objects.iter().try_for_each(|object| {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (kind, name) = (word(&object["kind"]), word(&object["metadata"]["name"]));
            output.line(format_args!("{kind}/{name}"))
        }),
    }
}

/// The first mistake in what would be printed comes of what was given.
fn check(objects: &[Value]) -> Result<(), Failure> {
    let text = generate::render(objects);
    let (file, mut diagnostics) = (Arc::from(""), Vec::new());
    for document in yaml::documents(&text) {
        decode::read(&document, &file, Store::Flags, &mut diagnostics);
    }
    match diagnostics.iter().find(|one| one.is_error()) {
        None => Ok(()),
        Some(one) => {
            let failure = Failure::new(Exit::WrongCommandLine, one.message.as_str());
            Err(failure.tip(one.help.as_str()))
        }
    }
}

/// A file or standard input, as far as a configuration may be long.
pub fn read(path: &Path, environment: &Environment) -> Result<String, Failure> {
    let mut text = String::new();
    let most = limits::CONFIG_FILE_BYTES;
    let read = if is_standard_input(path) {
        std::io::stdin().lock().take(most + 1).read_to_string(&mut text)
    } else {
        File::open(environment.absolute(path))
            .and_then(|file| file.take(most + 1).read_to_string(&mut text))
    };
    let bytes = read.map_err(|error| Failure::file("read", path, &error))?;
    if bytes as u64 > most {
        let message = format!("{} has more than {most} bytes", path.display());
        return Err(Failure::new(Exit::CouldNotAsk, message));
    }
    Ok(text)
}
