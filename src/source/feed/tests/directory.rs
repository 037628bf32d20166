//! A directory of a shop, and ways to write into it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub(super) struct Shop {
    directory: TempDir,
}

impl Shop {
    pub(super) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() {
            self.directory.path().to_owned()
        } else {
            self.directory.path().join(name)
        }
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, text).unwrap();
    }

    /// As `mv` and careful editors do.
    pub(super) fn replace(&self, name: &str, text: &str) {
        self.write("new.tmp", text);
        fs::rename(self.path("new.tmp"), self.path(name)).unwrap();
    }

    pub(super) fn backend(name: &str, port: u16) -> String {
        format!(
            "---\napiVersion: meshctl.dev/v1alpha1\nkind: Backend\nmetadata:\n  name: {name}\n\
             spec:\n  endpoints: [\"127.0.0.1:{port}\"]\n"
        )
    }

    /// A Gateway, and a route that sends to the backends.
    pub(super) fn gateway(&self, backends: &[&str]) -> String {
        let mut text = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n\
             metadata:\n  name: shop\nspec:\n  gatewayClassName: meshctl\n  listeners:\n  \
             - name: http\n    protocol: HTTP\n    port: 8080\n"
            .to_owned();
        if !backends.is_empty() {
            text += "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n\
                 metadata:\n  name: shop\nspec:\n  parentRefs:\n  - name: shop\n  rules:\n  \
                 - backendRefs:\n";
        }
        for name in backends {
            text += &format!("    - {{group: meshctl.dev, kind: Backend, name: {name}}}\n");
        }
        text
    }
}
