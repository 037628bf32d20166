//! Filters of routes and of their backends.

use super::fields::{Fields, number, text};
use super::findings::Findings;
use super::references::{self, BACKEND};
use super::{formats, routes};
use crate::config::raw::{
    At, Cors, Filter, FilterKind, HeaderEdit, Mirror, PathModifier, Redirect, Rewrite,
};
use crate::config::{codes, suggest};
use crate::model::Name;
use crate::yaml::Node;

/// Which filters a route has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Http,
    Grpc,
}

/// (type, its field, whether a list may hold it only once)
const HTTP: &[(&str, &str, bool)] = &[
    ("RequestHeaderModifier", "requestHeaderModifier", true),
    ("ResponseHeaderModifier", "responseHeaderModifier", true),
    ("RequestMirror", "requestMirror", false),
    ("RequestRedirect", "requestRedirect", true),
    ("URLRewrite", "urlRewrite", true),
    ("CORS", "cors", true),
    ("ExtensionRef", "extensionRef", false),
    ("ExternalAuth", "externalAuth", false),
];
const GRPC: &[(&str, &str, bool)] = &[
    ("RequestHeaderModifier", "requestHeaderModifier", true),
    ("ResponseHeaderModifier", "responseHeaderModifier", true),
    ("RequestMirror", "requestMirror", false),
    ("ExtensionRef", "extensionRef", false),
];
const CORS_METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "*"];

impl Family {
    fn members(self) -> &'static [(&'static str, &'static str, bool)] {
        match self {
            Self::Http => HTTP,
            Self::Grpc => GRPC,
        }
    }
}

pub(super) fn filters(fields: &mut Fields<'_, '_>, family: Family) -> Vec<Filter> {
    let findings = fields.findings;
    let mut seen: Vec<At<Name>> = Vec::new();
    let filters = fields.list("filters", 16, |node| {
        let (kind, filter) = filter(node, family, findings)?;
        seen.push(kind);
        Some(filter)
    });
    let once =
        |kind: &&At<Name>| family.members().iter().any(|(t, _, once)| **t == *kind.value && *once);
    routes::distinct(findings, seen.iter().filter(once).map(|kind| (kind, &*kind.value)));
    let of_type = |name: &str| seen.iter().find(|kind| &*kind.value == name);
    if let (Some(_), Some(rewrite)) = (of_type("RequestRedirect"), of_type("URLRewrite")) {
        let help = "remove one: a redirect takes `hostname` and `path` itself";
        let message = "RequestRedirect and URLRewrite exclude each other";
        findings.error_help(codes::CONFLICT, rewrite, message, help);
    }
    filters
}

fn filter(node: &Node, family: Family, findings: &Findings<'_>) -> Option<(At<Name>, Filter)> {
    let mut fields = Fields::open(node, findings)?;
    let place = fields.place;
    let kind = fields.required_text("type", &formats::FILLED);
    let members = family.members();
    let Some((_, member, _)) = members.iter().find(|(name, ..)| *name == &*kind.value) else {
        // A newer API's filter brings its own field: neither is reported, lowering answers 500.
        let unknown = Filter { place, kind: FilterKind::Unknown(kind.value.clone()) };
        if HTTP.iter().any(|(name, ..)| *name == &*kind.value) {
            let message = format!("a GRPCRoute has no filter of type `{}`", kind.value);
            let known: Vec<&str> = members.iter().map(|(name, ..)| *name).collect();
            let help = format!("its filters are {}", suggest::all_of(&known));
            findings.error_help(codes::UNKNOWN_VALUE, &kind, message, help);
        } else if fields.has("type") {
            near_miss(&kind, members.iter().map(|(name, ..)| *name), findings);
        }
        return Some((kind, unknown));
    };
    let mut others = false;
    for (other, field, _) in members.iter().filter(|(_, field, _)| field != member) {
        if let Some(spot) = fields.spot_of(field).filter(|_| fields.has(field)) {
            let message = format!(
                "`{field}` belongs to a filter of type `{other}`, this one is `{}`",
                kind.value
            );
            let help = format!("write `type: {other}`, or `{member}` in its place");
            findings.error_help(codes::WRONG_MEMBER, spot, message, help);
            others = true;
        }
        fields.ignore(&[field]);
    }
    let decoded = member_of(&mut fields, &kind.value);
    if !fields.has(member) && !others {
        let message = format!("a filter of type `{}` needs `{member}`", kind.value);
        let help = format!("write `{member}` below it, with its fields");
        findings.error_help(codes::WRONG_MEMBER, &kind, message, help);
    }
    fields.finish();
    Some((
        kind.clone(),
        Filter { place, kind: decoded.unwrap_or(FilterKind::Incomplete(kind.value)) },
    ))
}

/// A slip of the fingers is an error; anything else may be a newer API's word.
pub(super) fn near_miss<'c>(
    word: &At<Name>,
    known: impl Iterator<Item = &'c str>,
    findings: &Findings<'_>,
) {
    if let Some(nearest) = suggest::nearest(&word.value, known) {
        let message = format!("unknown value {}", findings.value(&word.value));
        findings.error_help(
            codes::UNKNOWN_VALUE,
            word,
            message,
            format!("did you mean `{nearest}`?"),
        );
    }
}

fn member_of(fields: &mut Fields<'_, '_>, kind: &str) -> Option<FilterKind> {
    Some(match kind {
        "RequestHeaderModifier" => {
            FilterKind::RequestHeaderModifier(header_edit(fields.map("requestHeaderModifier")?))
        }
        "ResponseHeaderModifier" => {
            FilterKind::ResponseHeaderModifier(header_edit(fields.map("responseHeaderModifier")?))
        }
        "RequestMirror" => FilterKind::RequestMirror(mirror(fields.map("requestMirror")?)?),
        "RequestRedirect" => FilterKind::RequestRedirect(redirect(fields.map("requestRedirect")?)),
        "URLRewrite" => FilterKind::UrlRewrite(rewrite(fields.map("urlRewrite")?)),
        "CORS" => FilterKind::Cors(cors(fields.map("cors")?)),
        "ExternalAuth" => {
            external_auth(fields.map("externalAuth")?);
            FilterKind::Unknown(kind.into())
        }
        _ => {
            let node = fields.take("extensionRef")?;
            references::reference(node, &references::LOCAL, fields.findings)?;
            FilterKind::Unknown(kind.into())
        }
    })
}

fn header_edit(mut fields: Fields<'_, '_>) -> HeaderEdit {
    let findings = fields.findings;
    let mut pairs = |name| {
        let pairs = fields.list(name, 16, |node| {
            let mut fields = Fields::open(node, findings)?;
            let name = fields.required_text("name", &formats::HEADER_NAME);
            let value = fields.required_text("value", &formats::HEADER_VALUE);
            fields.finish();
            Some((name, value))
        });
        routes::distinct(findings, pairs.iter().map(|(name, _)| (name, &*name.value)));
        pairs
    };
    let (set, add) = (pairs("set"), pairs("add"));
    let edit = HeaderEdit { set, add, remove: fields.texts("remove", 16, &formats::ANY) };
    routes::distinct(findings, edit.remove.iter().map(|name| (name, &*name.value)));
    fields.finish();
    edit
}

fn mirror(mut fields: Fields<'_, '_>) -> Option<Mirror> {
    let backend = fields.required_map("backendRef").map(|mut backend| {
        let reference = references::of_fields(&mut backend, &BACKEND);
        references::needs_port(&reference, &backend);
        backend.finish();
        reference
    });
    let percent = fields.number("percent", 0..=100);
    let fraction = fields.map("fraction").and_then(fraction);
    if let (Some(percent), true) = (&percent, fields.has("fraction")) {
        let message = "`percent` and `fraction` exclude each other";
        fields.conflict(percent.place, message, "remove one of them");
    }
    fields.finish();
    Some(Mirror { backend: backend?, percent, fraction })
}

fn fraction(mut fields: Fields<'_, '_>) -> Option<At<(u32, u32)>> {
    if !fields.has("numerator") {
        fields.missing("numerator");
    }
    let numerator = fields.number("numerator", 0..=u32::MAX >> 1);
    let denominator = fields.number("denominator", 1..=u32::MAX >> 1).unwrap_or(At::nowhere(100));
    if let Some(numerator) = &numerator
        && numerator.value > denominator.value
    {
        let message = "`numerator` can't be greater than `denominator`";
        fields.conflict(
            numerator.place,
            message,
            "a fraction is at most 1: `denominator` is 100 unless it is written",
        );
    }
    fields.finish();
    let numerator = numerator?;
    Some(At::new((numerator.value, denominator.value), numerator.place))
}

fn redirect(mut fields: Fields<'_, '_>) -> Redirect {
    let findings = fields.findings;
    let redirect = Redirect {
        scheme: fields.choice("scheme", &["http", "https"]),
        hostname: fields.text("hostname", &formats::HOSTNAME),
        path: fields.map("path").and_then(path_modifier),
        port: fields.port("port"),
        status: fields.take("statusCode").and_then(|node| status(node, findings)),
    };
    fields.finish();
    redirect
}

fn status(node: &Node, findings: &Findings<'_>) -> Option<At<u16>> {
    let status = number(node, &(0..=u16::MAX), findings)?;
    if !matches!(status.value, 301 | 302 | 303 | 307 | 308) {
        let message = format!("a redirect can't have status {}", status.value);
        findings.error_help(
            codes::OUT_OF_RANGE,
            node,
            message,
            "it can be 301, 302, 303, 307 or 308",
        );
    }
    Some(status)
}

fn rewrite(mut fields: Fields<'_, '_>) -> Rewrite {
    let rewrite = Rewrite {
        hostname: fields.text("hostname", &formats::HOSTNAME),
        path: fields.map("path").and_then(path_modifier),
    };
    fields.finish();
    rewrite
}

fn path_modifier(mut fields: Fields<'_, '_>) -> Option<PathModifier> {
    const MEMBERS: [(&str, &str); 2] =
        [("ReplaceFullPath", "replaceFullPath"), ("ReplacePrefixMatch", "replacePrefixMatch")];
    let findings = fields.findings;
    let kind = fields.required_text("type", &formats::FILLED);
    if !MEMBERS.iter().any(|(name, _)| *name == &*kind.value) {
        near_miss(&kind, MEMBERS.iter().map(|(name, _)| *name), findings);
        return Some(PathModifier::Unknown(kind));
    }
    let mut value = None;
    for (name, member) in MEMBERS {
        let found = fields.take(member);
        if name == &*kind.value {
            value = found.and_then(|node| text(node, &formats::LONG, findings));
            if found.is_none() {
                let message = format!("type `{name}` needs `{member}`");
                let help = format!("write `{member}: /path` below it");
                findings.error_help(codes::WRONG_MEMBER, &kind, message, help);
            }
        } else if found.is_some() {
            let message = format!("`{member}` belongs to type `{name}`");
            findings.error(codes::WRONG_MEMBER, &kind, message);
        }
    }
    fields.finish();
    let value = value?;
    Some(match &*kind.value {
        "ReplaceFullPath" => PathModifier::ReplaceFullPath(value),
        _ => PathModifier::ReplacePrefixMatch(value),
    })
}

fn cors(mut fields: Fields<'_, '_>) -> Cors {
    let findings = fields.findings;
    let cors = Cors {
        allow_origins: fields.texts("allowOrigins", 64, &formats::ORIGIN),
        allow_credentials: fields.boolean("allowCredentials").is_some_and(|at| at.value),
        allow_methods: fields
            .list("allowMethods", 9, |node| super::fields::choice(node, CORS_METHODS, findings)),
        allow_headers: fields.texts("allowHeaders", 64, &formats::HEADER_NAME),
        expose_headers: fields.texts("exposeHeaders", 64, &formats::HEADER_NAME),
        max_age: fields.number("maxAge", 1..=u32::MAX >> 1),
    };
    for (name, list, lonely) in [
        ("allowOrigins", &cors.allow_origins, true),
        ("allowMethods", &cors.allow_methods, true),
        ("allowHeaders", &cors.allow_headers, true),
        ("exposeHeaders", &cors.expose_headers, false),
    ] {
        routes::distinct(findings, list.iter().map(|item| (item, &*item.value)));
        if let (Some(star), true, true) =
            (list.iter().find(|i| &*i.value == "*"), list.len() > 1, lonely)
        {
            let message = format!("`*` stands alone in `{name}`");
            findings.error_help(codes::CONFLICT, star, message, "remove `*`, or all the others");
        }
    }
    fields.finish();
    cors
}

/// Checked as the API does, so that a manifest is right before it is served.
fn external_auth(mut fields: Fields<'_, '_>) {
    let protocol = fields.required_choice("protocol", &["HTTP", "GRPC"]);
    if let Some(mut backend) = fields.required_map("backendRef") {
        let reference = references::of_fields(&mut backend, &BACKEND);
        references::needs_port(&reference, &backend);
        backend.finish();
    }
    for (name, member) in [("HTTP", "http"), ("GRPC", "grpc")] {
        if fields.has(member) != (name == &*protocol.value) && fields.has("protocol") {
            let message = format!("`{member}` and protocol `{name}` need each other");
            let help = "write the settings of the `protocol` that is named, and no others";
            fields.findings.error_help(codes::WRONG_MEMBER, &protocol, message, help);
        }
    }
    if let Some(mut http) = fields.map("http") {
        http.text("path", &formats::PATH_TEXT);
        http.texts("allowedHeaders", 64, &formats::ANY);
        http.texts("allowedResponseHeaders", 64, &formats::ANY);
        http.finish();
    }
    if let Some(mut grpc) = fields.map("grpc") {
        grpc.texts("allowedHeaders", 64, &formats::ANY);
        grpc.finish();
    }
    if let Some(mut body) = fields.map("forwardBody") {
        body.number("maxSize", 0..=u16::MAX);
        body.finish();
    }
    fields.finish();
}
