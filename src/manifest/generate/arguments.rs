//! What the flags of `meshctl generate` are written as. Each reader's error says what to write.

use serde_json::{Value, json};

use crate::{limits, names};

/// `80`, `HTTPS:443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    pub tls: bool,
    pub port: u16,
}

impl Listen {
    pub fn parse(text: &str) -> Result<Self, String> {
        let (protocol, port) = text.split_once(':').unwrap_or(("HTTP", text));
        let tls = match protocol.to_ascii_uppercase().as_str() {
            "HTTP" => false,
            "HTTPS" => true,
            _ => return Err("a listener is PORT or HTTPS:PORT, as in `80` or `HTTPS:443`".into()),
        };
        Ok(Self { tls, port: port_of(port)? })
    }

    pub fn protocol(self) -> &'static str {
        if self.tls { "HTTPS" } else { "HTTP" }
    }
}

fn port_of(text: &str) -> Result<u16, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port != 0);
    port.ok_or_else(|| format!("`{text}` is not a port: a number from 1 to 65535"))
}

/// `front`, `infra/front`, and `/LISTENER` after it where one listener is meant: `front/`… is a
/// namespace, so a listener is named with its namespace: `infra/front/https`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    pub namespace: Option<String>,
    pub name: String,
    pub listener: Option<String>,
}

impl Parent {
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let of = |text: &&str| (*text).to_owned();
        let (namespace, name, listener) = match parts.as_slice() {
            [name] => (None, name, None),
            [namespace, name] => (Some(namespace), name, None),
            [namespace, name, listener] => (Some(namespace), name, Some(listener)),
            _ => return Err("a Gateway is NAME, NAMESPACE/NAME or NAMESPACE/NAME/LISTENER".into()),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err("a name is missing: a Gateway is NAME or NAMESPACE/NAME".into());
        }
        Ok(Self { namespace: namespace.map(of), name: of(name), listener: listener.map(of) })
    }

    pub(super) fn reference(&self) -> Value {
        let mut reference = json!({"name": self.name});
        if let Some(namespace) = &self.namespace {
            reference["namespace"] = namespace.as_str().into();
        }
        if let Some(listener) = &self.listener {
            reference["sectionName"] = listener.as_str().into();
        }
        reference
    }
}

/// `shop:80`, `shop:80=90`, `Backend/legacy=10`: where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A Backend of ours, else a Service.
    pub backend: bool,
    pub name: String,
    pub port: Option<u16>,
    pub weight: Option<u32>,
}

impl Target {
    /// With or without a port: what a route knows already needs none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (place, weight) = match text.split_once('=') {
            None => (text, None),
            Some((place, weight)) => (place, Some(weight_of(weight)?)),
        };
        let (kind, name) = place.split_once('/').unwrap_or(("Service", place));
        let backend = match kind.to_ascii_lowercase().as_str() {
            "service" | "svc" => false,
            "backend" => true,
            _ => return Err("a target is SERVICE:PORT or Backend/NAME, as in `shop:80=90`".into()),
        };
        let (name, port) = match name.split_once(':') {
            None => (name, None),
            Some(_) if backend => return Err("a Backend has no port: its endpoints do".into()),
            Some((name, port)) => (name, Some(port_of(port)?)),
        };
        if name.is_empty() {
            return Err("a name is missing: a target is SERVICE:PORT or Backend/NAME".into());
        }
        Ok(Self { backend, name: name.to_owned(), port, weight })
    }

    /// As [`Self::parse`], for a route that is being made.
    pub fn parse_with_port(text: &str) -> Result<Self, String> {
        let target = Self::parse(text)?;
        if target.backend || target.port.is_some() {
            return Ok(target);
        }
        Err(format!("a Service needs its port, as in `{}:80`", target.name))
    }

    pub fn service(name: &str, port: u16) -> Self {
        Self { backend: false, name: name.to_owned(), port: Some(port), weight: None }
    }

    /// In a rollout.
    pub(super) fn arm(&self) -> Value {
        let mut arm = json!({});
        if self.backend {
            arm["group"] = names::GROUP_MESHCTL.into();
        }
        arm["kind"] = if self.backend { "Backend" } else { "Service" }.into();
        arm["name"] = self.name.as_str().into();
        if let Some(port) = self.port {
            arm["port"] = port.into();
        }
        arm
    }

    /// In a rule, where a Service is what is meant when nothing is said.
    pub(super) fn backend_ref(&self) -> Value {
        let mut reference = self.arm();
        if let (false, Value::Object(map)) = (self.backend, &mut reference) {
            map.shift_remove("kind");
        }
        if let Some(weight) = self.weight {
            reference["weight"] = weight.into();
        }
        reference
    }
}

fn weight_of(text: &str) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let weight = text.parse().ok().filter(|weight| digits && *weight <= limits::WEIGHT);
    weight.ok_or_else(|| format!("`{text}` is not a weight: a number from 0 to {}", limits::WEIGHT))
}

/// `20%` or `20`: from 1 to 100.
pub fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let percent = number.parse().ok().filter(|percent| digits && (1..=100).contains(percent));
    percent.ok_or_else(|| format!("`{text}` is not a percentage: write `1%` to `100%`"))
}

/// `1,5,25,50`: each above the one before.
pub fn steps(text: &str) -> Result<Vec<u8>, String> {
    let steps = text.split(',').map(|step| percent(step.trim())).collect::<Result<Vec<_>, _>>()?;
    match steps.windows(2).find(|pair| pair[0] >= pair[1]) {
        None => Ok(steps),
        Some(pair) => Err(format!("steps go up, and {} comes after {}", pair[1], pair[0])),
    }
}
