//! Filters. One that isn't known makes its whole rule unreadable: it may be a protection.

use std::time::Duration;

use super::check::{
    all, cause, editable_header, exact_hostname, header_name, header_value, invalid, nanoseconds,
    path, plain, port, some, token,
};
use super::messages::{self, Empty, OneFilter, Origin, Rewritten};
use super::{WireError, key};
use crate::model::{
    Cors, CorsOrigin, Filter, Fraction, HeaderEdit, HeaderName, Mirror, Name, PartKind,
    PathRewrite, Redirect, Rewrite,
};

pub(super) fn write(filter: &Filter) -> messages::Filter {
    let one = match filter {
        Filter::RequestHeaders(edit) => OneFilter::RequestHeaders(write_edit(edit)),
        Filter::ResponseHeaders(edit) => OneFilter::ResponseHeaders(write_edit(edit)),
        Filter::Redirect(redirect) => OneFilter::Redirect(write_redirect(redirect)),
        Filter::Rewrite(Rewrite { hostname, path }) => OneFilter::Rewrite(messages::Rewrite {
            hostname: hostname.as_ref().map(ToString::to_string),
            path: path.as_ref().map(write_path),
        }),
        Filter::Mirror(Mirror { backend, fraction: Fraction { numerator, denominator } }) => {
            OneFilter::Mirror(messages::Mirror {
                backend: Some(key::write_reference(backend)),
                numerator: *numerator,
                denominator: *denominator,
            })
        }
        Filter::Cors(cors) => OneFilter::Cors(write_cors(cors)),
        Filter::Refuse(cause) => OneFilter::Refuse(cause.word().to_owned()),
    };
    messages::Filter { one: Some(one) }
}

pub(super) fn read(filter: messages::Filter) -> Result<Filter, WireError> {
    Ok(match some("filter", filter.one)? {
        OneFilter::RequestHeaders(edit) => Filter::RequestHeaders(read_edit(edit)?),
        OneFilter::ResponseHeaders(edit) => Filter::ResponseHeaders(read_edit(edit)?),
        OneFilter::Redirect(redirect) => Filter::Redirect(read_redirect(redirect)?),
        OneFilter::Rewrite(messages::Rewrite { hostname, path }) => Filter::Rewrite(Rewrite {
            hostname: hostname.as_deref().map(exact_hostname).transpose()?,
            path: path.map(read_path).transpose()?,
        }),
        OneFilter::Mirror(mirror) => Filter::Mirror(read_mirror(mirror)?),
        OneFilter::Cors(cors) => Filter::Cors(read_cors(cors)?),
        OneFilter::Refuse(word) => Filter::Refuse(cause(&word)?),
    })
}

fn write_edit(edit: &HeaderEdit) -> messages::HeaderEdit {
    let HeaderEdit { set, add, remove } = edit;
    let field = |(name, value): &(HeaderName, Name)| messages::Header {
        name: name.to_string(),
        value: value.to_string(),
    };
    messages::HeaderEdit {
        set: set.iter().map(field).collect(),
        add: add.iter().map(field).collect(),
        remove: remove.iter().map(ToString::to_string).collect(),
    }
}

fn read_edit(edit: messages::HeaderEdit) -> Result<HeaderEdit, WireError> {
    let messages::HeaderEdit { set, add, remove } = edit;
    let field = |field: messages::Header| {
        let messages::Header { name, value } = field;
        Ok((editable_header(&name)?, header_value(&value)?))
    };
    Ok(HeaderEdit {
        set: all(set, field)?,
        add: all(add, field)?,
        remove: all(remove, |name| editable_header(&name))?,
    })
}

fn write_redirect(redirect: &Redirect) -> messages::Redirect {
    let Redirect { scheme, hostname, path, port, status } = redirect;
    messages::Redirect {
        scheme: scheme.as_ref().map(ToString::to_string),
        hostname: hostname.as_ref().map(ToString::to_string),
        path: path.as_ref().map(write_path),
        port: port.map(u32::from),
        status: (*status).into(),
    }
}

fn read_redirect(redirect: messages::Redirect) -> Result<Redirect, WireError> {
    let messages::Redirect { scheme, hostname, path, port: number, status } = redirect;
    if let Some(scheme) = scheme.as_deref().filter(|scheme| !matches!(*scheme, "http" | "https")) {
        return Err(invalid("scheme", format!("`{scheme}`")));
    }
    let known = u16::try_from(status).ok();
    let known = known.filter(|status| matches!(status, 301 | 302 | 303 | 307 | 308));
    Ok(Redirect {
        scheme: scheme.map(Into::into),
        hostname: hostname.as_deref().map(exact_hostname).transpose()?,
        path: path.map(read_path).transpose()?,
        port: number.map(|number| port("port", number)).transpose()?,
        status: known.ok_or_else(|| invalid("status of a redirect", status.to_string()))?,
    })
}

fn write_path(path: &PathRewrite) -> messages::PathRewrite {
    let to = match path {
        PathRewrite::Full(path) => Rewritten::Full(path.to_string()),
        PathRewrite::Prefix(path) => Rewritten::Prefix(path.to_string()),
    };
    messages::PathRewrite { to: Some(to) }
}

fn read_path(written: messages::PathRewrite) -> Result<PathRewrite, WireError> {
    Ok(match some("path", written.to)? {
        Rewritten::Full(text) => PathRewrite::Full(path(&text)?),
        Rewritten::Prefix(text) if text.is_empty() => PathRewrite::Prefix("".into()),
        Rewritten::Prefix(text) => PathRewrite::Prefix(path(&text)?),
    })
}

fn read_mirror(mirror: messages::Mirror) -> Result<Mirror, WireError> {
    let messages::Mirror { backend, numerator, denominator } = mirror;
    if denominator == 0 || numerator > denominator {
        return Err(invalid("fraction", format!("{numerator} of {denominator}")));
    }
    Ok(Mirror {
        backend: key::read_reference(some("backend of a mirror", backend)?, PartKind::Backend)?,
        fraction: Fraction { numerator, denominator },
    })
}

fn write_cors(cors: &Cors) -> messages::Cors {
    let Cors {
        allow_origins,
        allow_credentials,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
    } = cors;
    let origin = |origin: &CorsOrigin| messages::CorsOrigin {
        one: Some(match origin {
            CorsOrigin::Any => Origin::Any(Empty {}),
            CorsOrigin::Exact(origin) => Origin::Exact(origin.to_string()),
            CorsOrigin::Wildcard { scheme, suffix } => Origin::Wildcard(messages::WildcardOrigin {
                scheme: scheme.to_string(),
                suffix: suffix.to_string(),
            }),
        }),
    };
    let texts = |names: &[Name]| names.iter().map(ToString::to_string).collect();
    messages::Cors {
        allow_origins: allow_origins.iter().map(origin).collect(),
        allow_credentials: *allow_credentials,
        allow_methods: texts(allow_methods),
        allow_headers: texts(allow_headers),
        expose_headers: texts(expose_headers),
        max_age: nanoseconds(*max_age),
    }
}

fn read_cors(cors: messages::Cors) -> Result<Cors, WireError> {
    let messages::Cors {
        allow_origins,
        allow_credentials,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
    } = cors;
    let origin = |origin: messages::CorsOrigin| {
        Ok(match some("origin", origin.one)? {
            Origin::Any(Empty {}) => CorsOrigin::Any,
            Origin::Exact(origin) => CorsOrigin::Exact(plain("origin", &origin)?),
            Origin::Wildcard(messages::WildcardOrigin { scheme, suffix }) => {
                if !matches!(&*scheme, "http://" | "https://") {
                    return Err(invalid("origin", format!("its scheme is `{scheme}`")));
                }
                // `https://*` has none.
                CorsOrigin::Wildcard { scheme: scheme.into(), suffix: header_value(&suffix)? }
            }
        })
    };
    Ok(Cors {
        allow_origins: all(allow_origins, origin)?,
        allow_credentials,
        allow_methods: all(allow_methods, |method| token("method", &method))?,
        allow_headers: all(allow_headers, |name| header_name(&name))?,
        expose_headers: all(expose_headers, |name| header_name(&name))?,
        max_age: Duration::from_nanos(max_age),
    })
}
