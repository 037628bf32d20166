//! Filters. One that is unknown or not valid answers its requests with an error: it may be a
//! protection, so it is never passed over.

mod cors;
mod headers;
mod path;

use std::mem::discriminant;

use super::codes;
use super::target;
use super::unit::BackendKey;
use super::view::View;
use crate::config::raw::{self, At, FilterKind, Mirror, Object, Redirect, Reference};
use crate::config::status::{self, Refusal};
use crate::model::{self, Cause, Filter, Fraction, Hostname, Kind, Match, Name};

/// A filter, with the backend of a mirror still open: it depends on the Gateway that asks.
#[derive(Clone, Debug)]
pub(super) enum Draft {
    Ready(Filter),
    Mirror { backend: Result<BackendKey, Cause>, fraction: Fraction },
}

impl Draft {
    pub(super) fn mirrored(&self) -> Option<&BackendKey> {
        match self {
            Self::Mirror { backend, .. } => backend.as_ref().ok(),
            Self::Ready(_) => None,
        }
    }
}

/// What a route's status says of a rule, beside where it is attached; the first of each kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// A backend that can't be had.
    pub(super) refs: Option<Refusal>,
    /// What can't be served as it is written.
    pub(super) invalid: Option<Refusal>,
}

/// The filters of a rule or backendRef, in their order. `matches` are the rule's, for the
/// filters that need a prefix.
pub(super) fn filters(
    view: &mut View<'_>,
    object: &Object,
    written: &[raw::Filter],
    matches: &[Match],
    trouble: &mut Trouble,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut seen = Vec::new();
    let before = view.findings.len();
    for filter in written {
        let kind = discriminant(&filter.kind);
        let repeats = !matches!(filter.kind, FilterKind::RequestMirror(_) | FilterKind::Unknown(_));
        if repeats && seen.contains(&kind) {
            refuse(view, object, filter, "this kind of filter stands above already");
            drafts.push(Draft::Ready(Filter::Refuse(Cause::FilterInvalid)));
            continue;
        }
        seen.push(kind);
        drafts.push(draft(view, object, filter, matches, trouble));
    }
    let refused = |draft: &Draft| matches!(draft, Draft::Ready(Filter::Refuse(_)));
    if drafts.iter().any(refused) {
        let why = view.said_since(before).unwrap_or_default();
        trouble.invalid.get_or_insert(Refusal::new(status::UNSUPPORTED_VALUE, why));
    }
    check_together(view, object, written, &mut drafts, trouble);
    drafts
}

impl Trouble {
    /// Follows a reference, and keeps why it leads nowhere.
    pub(super) fn resolve(
        &mut self,
        view: &mut View<'_>,
        object: &Object,
        reference: &Reference,
    ) -> Result<BackendKey, Cause> {
        target::resolve(view, object, reference).map_err(|unresolved| {
            self.refs.get_or_insert(unresolved.why);
            unresolved.cause
        })
    }
}

fn refuse(view: &mut View<'_>, object: &Object, filter: &raw::Filter, message: &str) {
    let message = format!("{message}: its requests are answered with 500");
    view.error(object, codes::FILTER_INVALID, &filter.place, message);
}

/// A redirect and a rewrite can't both decide where the request goes.
fn check_together(
    view: &mut View<'_>,
    object: &Object,
    written: &[raw::Filter],
    drafts: &mut Vec<Draft>,
    trouble: &mut Trouble,
) {
    let redirects = written.iter().any(|one| matches!(one.kind, FilterKind::RequestRedirect(_)));
    let rewrite = written.iter().find(|one| matches!(one.kind, FilterKind::UrlRewrite(_)));
    if let (true, Some(rewrite)) = (redirects, rewrite) {
        let why = "URLRewrite and RequestRedirect exclude each other";
        refuse(view, object, rewrite, why);
        trouble.invalid = Some(Refusal::new(status::INCOMPATIBLE_FILTERS, why));
        drafts.insert(0, Draft::Ready(Filter::Refuse(Cause::FilterInvalid)));
    }
}

fn draft(
    view: &mut View<'_>,
    object: &Object,
    filter: &raw::Filter,
    matches: &[Match],
    trouble: &mut Trouble,
) -> Draft {
    let grpc = object.key.kind == Kind::GrpcRoute;
    let made = match &filter.kind {
        FilterKind::RequestHeaderModifier(edit) => {
            headers::edit(view, object, edit, true).map(Filter::RequestHeaders)
        }
        FilterKind::ResponseHeaderModifier(edit) => {
            headers::edit(view, object, edit, false).map(Filter::ResponseHeaders)
        }
        FilterKind::RequestMirror(one) => return mirror(view, object, filter, one, trouble),
        FilterKind::RequestRedirect(_) | FilterKind::UrlRewrite(_) | FilterKind::Cors(_)
            if grpc =>
        {
            let message = "a GRPCRoute has no such filter: its requests are answered with 500";
            view.error(object, codes::FILTER_UNKNOWN, &filter.place, message);
            return Draft::Ready(Filter::Refuse(Cause::FilterUnknown));
        }
        FilterKind::RequestRedirect(one) => {
            redirect(view, object, one, matches).map(Filter::Redirect)
        }
        FilterKind::UrlRewrite(one) => {
            let hostname = hostname(view, object, one.hostname.as_ref());
            let path = path::path(view, object, one.path.as_ref(), matches);
            hostname.and_then(|hostname| {
                Some(Filter::Rewrite(model::Rewrite { hostname, path: path? }))
            })
        }
        FilterKind::Cors(one) => cors::cors(view, object, one).map(Filter::Cors),
        FilterKind::Unknown(kind) => {
            let message =
                format!("filter `{kind}` is not known: its requests are answered with 500");
            view.error(object, codes::FILTER_UNKNOWN, &filter.place, message);
            return Draft::Ready(Filter::Refuse(Cause::FilterUnknown));
        }
        FilterKind::Incomplete(kind) => {
            refuse(view, object, filter, &format!("filter `{kind}` lacks its own field"));
            None
        }
    };
    Draft::Ready(made.unwrap_or(Filter::Refuse(Cause::FilterInvalid)))
}

fn mirror(
    view: &mut View<'_>,
    object: &Object,
    filter: &raw::Filter,
    one: &Mirror,
    trouble: &mut Trouble,
) -> Draft {
    let fraction = match (&one.percent, &one.fraction) {
        (Some(_), Some(_)) => Err("percent and fraction exclude each other"),
        (None, None) => Ok((100, 100)),
        (Some(percent), None) if percent.value <= 100 => Ok((percent.value, 100)),
        (Some(_), None) => Err("a percentage is at most 100"),
        (None, Some(At { value: (part, whole), .. })) if *whole > 0 && part <= whole => {
            Ok((*part, *whole))
        }
        (None, Some(_)) => Err("a fraction is at most 1 and its denominator above 0"),
    };
    match fraction {
        Ok((numerator, denominator)) => Draft::Mirror {
            backend: trouble.resolve(view, object, &one.backend),
            fraction: Fraction { numerator, denominator },
        },
        Err(why) => {
            refuse(view, object, filter, why);
            Draft::Ready(Filter::Refuse(Cause::FilterInvalid))
        }
    }
}

fn redirect(
    view: &mut View<'_>,
    object: &Object,
    one: &Redirect,
    matches: &[Match],
) -> Option<model::Redirect> {
    let scheme = match &one.scheme {
        Some(scheme) if !matches!(&*scheme.value, "http" | "https") => {
            let message = format!("scheme `{}` can't be redirected to", scheme.value);
            view.error(object, codes::FILTER_INVALID, scheme, message).help("use http or https");
            None
        }
        scheme => Some(scheme.as_ref().map(|scheme| scheme.value.clone())),
    };
    let status = match &one.status {
        Some(status) if !matches!(status.value, 301 | 302 | 303 | 307 | 308) => {
            let message = format!("{} is no status of a redirect", status.value);
            view.error(object, codes::FILTER_INVALID, &status.place, message)
                .help("use 301, 302, 303, 307 or 308");
            None
        }
        status => Some(status.as_ref().map_or(302, |status| status.value)),
    };
    let hostname = hostname(view, object, one.hostname.as_ref());
    let path = path::path(view, object, one.path.as_ref(), matches);
    let port = one.port.as_ref().map(|port| port.value);
    Some(model::Redirect {
        scheme: scheme?,
        hostname: hostname?,
        path: path?,
        port,
        status: status?,
    })
}

/// A hostname without a wildcard; the outer `None` is a mistake.
#[expect(clippy::option_option, reason = "absent is valid, invalid is not absent")]
fn hostname(
    view: &mut View<'_>,
    object: &Object,
    text: Option<&At<Name>>,
) -> Option<Option<Hostname>> {
    let Some(text) = text.filter(|text| !text.value.is_empty()) else { return Some(None) };
    let why = match Hostname::parse(&text.value) {
        Ok(host) if !host.is_wildcard() => return Some(Some(host)),
        Ok(_) => "a wildcard can't stand here".to_owned(),
        Err(why) => why.to_string(),
    };
    let message = format!("`{}` is not a hostname: {why}", text.value);
    view.error(object, codes::FILTER_INVALID, text, message);
    None
}
