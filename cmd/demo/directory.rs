//! The demo's directory: YAML files as anyone would write them.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use meshctl::config::flags::Target;
use meshctl::config::quick::Quick;
use meshctl::model::{Address, BindAddress};
use meshctl::yaml;

use crate::exit::{Exit, Failure};
use crate::mesh::MARK;

use super::plan::Weights;

const GATEWAY: &str = "gateway.yaml";
pub const ROUTE: &str = "route.yaml";
const BACKENDS: &str = "backends.yaml";

const ABOUT_ROUTE: &str =
    "# Change the weights and save: the gateway serves them within a second, and loses nothing.\n";

/// Names of temporary directories are drawn; this many in a row are never taken.
const DRAWS: usize = 16;

/// Removed when dropped, unless somebody asked for it by name.
pub struct Directory {
    path: PathBuf,
    is_temporary: bool,
}

impl Directory {
    /// `given`: where the files are wanted, which must hold nothing that would be served too.
    pub fn make(given: Option<&Path>, temporary: &Path) -> Result<Self, Failure> {
        let directory = match given {
            Some(path) => Self { path: path.to_owned(), is_temporary: false },
            None => draw(temporary)?,
        };
        let mark = directory.path.join(MARK);
        fs::create_dir_all(&mark).map_err(|error| Failure::file("make", &mark, &error))?;
        let read = fs::read_dir(&directory.path);
        let read = read.map_err(|error| Failure::file("read", &directory.path, &error))?;
        let mut names = read.flatten().map(|entry| entry.file_name());
        // What begins with a dot is not served.
        if let Some(name) = names.find(|name| !name.as_encoded_bytes().starts_with(b".")) {
            let message = format!(
                "{} is not empty: it holds {}",
                directory.path.display(),
                name.to_string_lossy()
            );
            return Err(Failure::new(Exit::No, message)
                .tip("give another directory, or none for one that is removed at the end"));
        }
        Ok(directory)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }

    /// The whole configuration.
    pub fn write(
        &self,
        gateway: SocketAddr,
        backends: [SocketAddr; 2],
        Weights(weights): Weights,
    ) -> Result<(), Failure> {
        let bind = BindAddress { ip: Some(gateway.ip()), port: gateway.port() };
        let targets = [0, 1].map(|index| Target {
            address: Address::Socket(backends[index]),
            weight: weights[index],
        });
        let quick = Quick::new(&[bind], &targets).expect("one of the weights is above 0");
        let documents = quick.documents();
        let of_kind = |kind: &str| {
            let documents = documents.iter().filter(|document| document["kind"] == kind);
            documents.map(yaml::write).collect::<Vec<_>>().join("---\n")
        };
        self.put(GATEWAY, &of_kind("Gateway"))?;
        self.put(BACKENDS, &of_kind("Backend"))?;
        self.put(ROUTE, &format!("{ABOUT_ROUTE}{}", of_kind("HTTPRoute")))
    }

    /// The route's file as it is.
    pub fn text(&self) -> Result<String, Failure> {
        let path = self.path.join(ROUTE);
        fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))
    }

    /// The whole file or none of it: written beside, and then given its name.
    fn put(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        let beside = self.path.join(format!(".{name}.new"));
        let written = fs::File::create(&beside)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&beside, &path));
        written.map_err(|error| Failure::file("write", &path, &error))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.is_temporary {
            // Whoever put something of his own into it and took away our right keeps it.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn draw(temporary: &Path) -> Result<Directory, Failure> {
    let mut random = fastrand::Rng::new();
    for _ in 0..DRAWS {
        let name: String = (0..6).map(|_| random.lowercase()).collect();
        let path = temporary.join(format!("meshctl-demo-{name}"));
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(Directory { path, is_temporary: true }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::file("make", &path, &error)),
        }
    }
    let message = format!("could not find a free name in {}", temporary.display());
    Err(Failure::new(Exit::CouldNotAsk, message))
}

#[cfg(test)]
mod tests;
