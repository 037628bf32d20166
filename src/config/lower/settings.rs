//! MeshConfigs, and which one holds for a Gateway.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::gateway::class_object;
use super::unit::{Output, UnitKey};
use super::view::View;
use super::{codes, reference};
use crate::config::index::Tag;
use crate::config::raw::{At, MeshConfig, Object, Reference, Spec, Webhook};
use crate::model::{AccessLogFormat, Kind, ListenerSettings, Name, ObjectKey};
use crate::{limits, names};

/// What holds without a MeshConfig.
pub(super) fn standard() -> ListenerSettings {
    ListenerSettings {
        trusted_hops: 0,
        proxy_protocol_from: Vec::new(),
        idle_timeout: limits::IDLE_TIMEOUT,
        request_head_timeout: limits::REQUEST_HEAD_TIMEOUT,
        stream_idle_timeout: limits::STREAM_IDLE_TIMEOUT,
        drain_timeout: limits::DRAIN_TIMEOUT,
        max_header_bytes: u32::try_from(limits::HEAD_BYTES).unwrap_or(u32::MAX),
        access_log: Some(AccessLogFormat::Json),
        via: names::VIA.into(),
    }
}

pub(super) fn mesh_config(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let object = view.object(key);
    let Some((object, config)) = object.as_ref().and_then(|object| match &object.spec {
        Spec::MeshConfig(config) => Some((object, config)),
        _ => None,
    }) else {
        return Output::Nothing;
    };
    Output::Settings(Arc::new(read(view, object, config)))
}

fn read(view: &mut View<'_>, object: &Object, config: &MeshConfig) -> ListenerSettings {
    let MeshConfig {
        trusted_hops: hops,
        proxy_protocol_from,
        idle_timeout,
        request_head_timeout,
        stream_idle_timeout,
        drain_timeout,
        max_header_bytes: bytes,
        access_log: format,
        deployment: _,
        webhook,
    } = config;
    if let Some(webhook) = webhook.as_ref().filter(|_| !is_the_mesh_s(&object.key)) {
        unread(view, object, webhook);
    }
    let standard = standard();
    let mut duration = |written: &Option<At<Duration>>, standard: Duration| match written {
        Some(time) if time.value.is_zero() => {
            view.error(object, codes::POLICY_VALUE, &time.place, "a duration above 0 is needed");
            standard
        }
        Some(time) => time.value,
        None => standard,
    };
    ListenerSettings {
        idle_timeout: duration(idle_timeout, standard.idle_timeout),
        request_head_timeout: duration(request_head_timeout, standard.request_head_timeout),
        stream_idle_timeout: duration(stream_idle_timeout, standard.stream_idle_timeout),
        // Draining at once is a choice.
        drain_timeout: drain_timeout.as_ref().map_or(standard.drain_timeout, |at| at.value),
        trusted_hops: hops.as_ref().map_or(0, |hops| trusted_hops(view, object, hops)),
        proxy_protocol_from: proxy_protocol_from
            .iter()
            .filter_map(|text| network(view, object, text))
            .collect(),
        max_header_bytes: bytes
            .as_ref()
            .and_then(|bytes| max_header_bytes(view, object, bytes))
            .unwrap_or(standard.max_header_bytes),
        access_log: match format {
            Some(format) => access_log(view, object, format, standard.access_log),
            None => standard.access_log,
        },
        via: standard.via,
    }
}

/// Of a webhook only the mesh's own MeshConfig can speak.
fn unread(view: &mut View<'_>, object: &Object, webhook: &Webhook) {
    let Webhook { url, secret_ref } = webhook;
    let written = url.as_ref().or(secret_ref.as_ref());
    let place = written.map_or(&object.meta.place, |written| &written.place);
    let message = format!("{} has a webhook that nobody reads: nothing is posted", object.key);
    view.warning(object, codes::WEBHOOK_UNREAD, place, message);
}

fn is_the_mesh_s(key: &ObjectKey) -> bool {
    &*key.namespace == names::NAMESPACE_SYSTEM && &*key.name == names::MESH_CONFIG_DEFAULT
}

fn trusted_hops(view: &mut View<'_>, object: &Object, hops: &At<u32>) -> u8 {
    u8::try_from(hops.value).unwrap_or_else(|_| {
        let message = format!("{} hops are too many: no hop is trusted", hops.value);
        view.error(object, codes::POLICY_VALUE, &hops.place, message);
        0
    })
}

/// A CIDR, or one address.
fn network(view: &mut View<'_>, object: &Object, text: &At<Name>) -> Option<(IpAddr, u8)> {
    let one = |ip: IpAddr| ipnet::IpNet::from(ip);
    let parsed = text.value.parse::<ipnet::IpNet>().ok();
    let Some(net) = parsed.or_else(|| text.value.parse().ok().map(one)) else {
        let message = format!("`{}` is not a network, as `10.0.0.0/8` is one", text.value);
        view.error(object, codes::POLICY_VALUE, text, message);
        return None;
    };
    Some((net.network(), net.prefix_len()))
}

/// Below this many bytes no browser's request would pass.
const SMALLEST_HEAD_BYTES: u32 = 1024;

fn max_header_bytes(view: &mut View<'_>, object: &Object, bytes: &At<u32>) -> Option<u32> {
    let most = u32::try_from(limits::HEAD_BYTES).unwrap_or(u32::MAX);
    if (SMALLEST_HEAD_BYTES..=most).contains(&bytes.value) {
        return Some(bytes.value);
    }
    let message = format!("{} is not between {SMALLEST_HEAD_BYTES} and {most} bytes", bytes.value);
    view.error(object, codes::POLICY_VALUE, &bytes.place, message);
    None
}

fn access_log(
    view: &mut View<'_>,
    object: &Object,
    format: &At<Name>,
    standard: Option<AccessLogFormat>,
) -> Option<AccessLogFormat> {
    match &*format.value {
        "json" => Some(AccessLogFormat::Json),
        "text" => Some(AccessLogFormat::Text),
        "off" => None,
        other => {
            let message = format!("`{other}` is no format of the access log");
            view.error(object, codes::POLICY_VALUE, format, message).help("use json, text or off");
            standard
        }
    }
}

/// The settings of a Gateway: its own, its class's, the mesh's, the only ones, the built-in ones.
pub(super) fn settings(view: &mut View<'_>, key: &ObjectKey) -> Output {
    let object = view.object(key);
    let chosen = match object.as_ref().map(|object| (object, &object.spec)) {
        Some((object, Spec::Gateway(gateway))) => match &gateway.infrastructure.parameters_ref {
            Some(reference) => referred(view, object, reference),
            None => {
                let class = class_object(view, object, &gateway.class);
                match class.as_ref().map(|class| (class, &class.spec)) {
                    Some((
                        class,
                        Spec::GatewayClass(crate::config::raw::GatewayClass {
                            parameters_ref: Some(reference),
                            ..
                        }),
                    )) => referred(view, class, reference),
                    _ => the_mesh_s(view, object),
                }
            }
        },
        _ => None,
    };
    Output::Settings(chosen.unwrap_or_else(|| Arc::new(standard())))
}

fn referred(
    view: &mut View<'_>,
    object: &Object,
    reference: &Reference,
) -> Option<Arc<ListenerSettings>> {
    let ours =
        &*reference.group == names::GROUP_MESHCTL && &*reference.kind == Kind::MeshConfig.as_str();
    let key = reference::key_of(object, reference, Kind::MeshConfig);
    if ours && let Output::Settings(settings) = view.output(UnitKey::MeshConfig(key.clone())) {
        return Some(settings);
    }
    let message = if ours {
        format!("{key} does not exist: the built-in settings hold")
    } else {
        format!("parameters can't be a {}: the built-in settings hold", reference.kind)
    };
    let finding = view.error(object, codes::MESH_CONFIG_REFERENCE, &reference.place, message);
    if ours {
        finding.seeks(&key);
    }
    None
}

/// Why a `parametersRef` can't be followed.
pub(super) fn refused(
    view: &mut View<'_>,
    object: &Object,
    reference: &Reference,
) -> Option<String> {
    let before = view.findings.len();
    match referred(view, object, reference) {
        Some(_) => None,
        None => Some(view.said_since(before).unwrap_or_default().to_owned()),
    }
}

fn the_mesh_s(view: &mut View<'_>, gateway: &Object) -> Option<Arc<ListenerSettings>> {
    let configs: Vec<ObjectKey> = view
        .tagged(Tag::All(Kind::MeshConfig))
        .iter()
        .filter(|object| object.key.store == gateway.key.store)
        .map(|object| object.key.clone())
        .collect();
    let chosen = match (configs.iter().find(|key| is_the_mesh_s(key)), &configs[..]) {
        (Some(default), _) => default,
        (None, [only]) => only,
        (None, []) => return None,
        (None, _) => {
            let message = "there are several MeshConfigs and none is the default";
            let help = format!(
                "name one in `spec.infrastructure.parametersRef`, or call one `{}` in namespace `{}`",
                names::MESH_CONFIG_DEFAULT,
                names::NAMESPACE_SYSTEM
            );
            view.warning(gateway, codes::MESH_CONFIG_REFERENCE, &gateway.meta.place, message)
                .help(help);
            return None;
        }
    };
    match view.output(UnitKey::MeshConfig(chosen.clone())) {
        Output::Settings(settings) => Some(settings),
        _ => None,
    }
}
