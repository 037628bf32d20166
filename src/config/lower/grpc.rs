//! The conditions of a GRPCRoute's rules: a method is a path, `/package.Service/Method`.

use super::view::View;
use super::{codes, matches, pattern};
use crate::config::raw::{At, GrpcMatch, GrpcMethodMatch, Object};
use crate::model::{Match, Name, PathMatch};

pub(super) fn grpc(
    view: &mut View<'_>,
    object: &Object,
    written: &[GrpcMatch],
) -> Option<Vec<Match>> {
    if written.is_empty() {
        return Some(vec![matches::everything()]);
    }
    let matches: Vec<_> = written.iter().map(|one| grpc_match(view, object, one)).collect();
    matches.into_iter().collect()
}

fn grpc_match(view: &mut View<'_>, object: &Object, written: &GrpcMatch) -> Option<Match> {
    let everything = matches::everything();
    let path = match &written.method {
        Some(method) => path(view, object, written, method),
        None => Some(everything.path.clone()),
    };
    let headers = matches::headers(view, object, &written.headers);
    Some(Match { path: path?, headers: headers?, ..everything })
}

fn path(
    view: &mut View<'_>,
    object: &Object,
    written: &GrpcMatch,
    method: &GrpcMethodMatch,
) -> Option<PathMatch> {
    let some = |text: &Option<At<Name>>| text.clone().filter(|text| !text.value.is_empty());
    let (service, name) = (some(&method.service), some(&method.method));
    if service.is_none() && name.is_none() {
        let message = "a method match needs a service or a method";
        view.error(object, codes::BAD_MATCH, &written.place, message);
        return None;
    }
    match &*method.kind.value {
        "Exact" => exact(view, object, service, name),
        "RegularExpression" => {
            let piece = |text: &Option<At<Name>>| match text {
                Some(text) => format!("(?:{})", text.value),
                None => "[^/]+".to_owned(),
            };
            for text in [&service, &name].into_iter().flatten() {
                pattern::checked(view, object, text)?;
            }
            let whole = format!("/{}/{}", piece(&service), piece(&name));
            let text = service.or(name)?;
            pattern::checked_as(view, object, &text, &whole).map(PathMatch::Regex)
        }
        other => {
            let message = format!("`{other}` is no kind of method match");
            view.error(object, codes::BAD_MATCH, &method.kind, message)
                .help("use Exact or RegularExpression");
            None
        }
    }
}

fn exact(
    view: &mut View<'_>,
    object: &Object,
    service: Option<At<Name>>,
    name: Option<At<Name>>,
) -> Option<PathMatch> {
    for text in [&service, &name].into_iter().flatten() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if !text.value.bytes().all(plain) {
            let message = format!("`{}` is no name of a gRPC service or method", text.value);
            view.error(object, codes::BAD_MATCH, text, message);
            return None;
        }
    }
    match (service, name) {
        (Some(service), Some(name)) => {
            Some(PathMatch::Exact(format!("/{}/{}", service.value, name.value).into()))
        }
        (Some(service), None) => Some(PathMatch::Prefix(format!("/{}", service.value).into())),
        (None, Some(name)) => {
            let whole = format!("/[^/]+/{}", regex::escape(&name.value));
            pattern::checked_as(view, object, &name, &whole).map(PathMatch::Regex)
        }
        (None, None) => None,
    }
}
