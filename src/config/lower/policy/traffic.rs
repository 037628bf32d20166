//! The values of a TrafficPolicy: each is checked, and the default holds for a bad one.

use std::time::Duration;

use crate::config::codes;
use crate::config::lower::matches::is_token;
use crate::config::lower::unit::TrafficShape;
use crate::config::lower::view::View;
use crate::config::raw::{self, At, Object, Place, TrafficPolicy};
use crate::model::{
    BackendPolicy, Balance, Ejection, HashSource, Kind, Name, ProxyProtocolVersion, RetryBudget,
    SlowStart,
};

pub(in crate::config::lower) fn shape(
    view: &mut View<'_>,
    object: &Object,
    policy: &TrafficPolicy,
) -> TrafficShape {
    let TrafficPolicy {
        targets: _,
        balance,
        connect_timeout,
        request_timeout,
        backend_request_timeout,
        stream_idle_timeout,
        retry_budget,
        ejection,
        slow_start,
        proxy_protocol,
        max_requests,
    } = policy;
    let standard = BackendPolicy::standard();
    let mut check = Check { view, object };
    let some = |timeout: &At<Duration>| Some(timeout.value).filter(|timeout| !timeout.is_zero());
    let window = slow_start.as_ref().and_then(some);
    let backend = BackendPolicy {
        balance: balance.as_ref().map_or(Balance::LeastRequest, |one| check.balance(one)),
        connect_timeout: check.above_zero(connect_timeout, standard.connect_timeout),
        retry_budget: check.retry_budget(retry_budget.as_ref(), standard.retry_budget),
        ejection: check.ejection(ejection.as_ref(), standard.ejection),
        slow_start: window.map(|window| SlowStart { window }),
        proxy_protocol: proxy_protocol.as_ref().and_then(|one| check.proxy_protocol(one)),
        max_idle_per_endpoint: standard.max_idle_per_endpoint,
        max_requests: max_requests.as_ref().map_or(0, |most| most.value),
    };
    TrafficShape {
        backend,
        request: request_timeout.as_ref().map(some),
        backend_request: backend_request_timeout.as_ref().map(some),
        stream_idle: stream_idle_timeout.as_ref().and_then(some),
    }
}

struct Check<'a, 'v> {
    view: &'a mut View<'v>,
    object: &'a Object,
}

impl Check<'_, '_> {
    fn refuse(&mut self, place: Place, message: String) {
        self.view.error(self.object, codes::POLICY_VALUE, &place, message);
    }

    fn above_zero(&mut self, value: &Option<At<Duration>>, standard: Duration) -> Duration {
        match value {
            Some(value) if value.value.is_zero() => {
                self.refuse(value.place, "a duration above 0 is needed".to_owned());
                standard
            }
            Some(value) => value.value,
            None => standard,
        }
    }

    fn percent(&mut self, value: Option<&At<u32>>, standard: u32) -> u32 {
        match value {
            Some(value) if value.value > 100 => {
                self.refuse(value.place, format!("{} is no percentage", value.value));
                standard
            }
            Some(value) => value.value,
            None => standard,
        }
    }

    fn balance(&mut self, balance: &raw::Balance) -> Balance {
        match &*balance.kind.value {
            "LeastRequest" => Balance::LeastRequest,
            "RoundRobin" => Balance::RoundRobin,
            "Random" => Balance::Random,
            "ConsistentHash" => Balance::ConsistentHash(self.hash(balance)),
            other => {
                let message = format!("`{other}` is no way of balancing");
                self.view
                    .error(self.object, codes::POLICY_VALUE, &balance.kind, message)
                    .help("use LeastRequest, RoundRobin, Random or ConsistentHash");
                Balance::LeastRequest
            }
        }
    }

    fn hash(&mut self, balance: &raw::Balance) -> HashSource {
        let Some((kind, name)) = &balance.hash_on else { return HashSource::ClientAddress };
        let named = name.as_ref().filter(|name| is_token(&name.value));
        match (&*kind.value, named) {
            ("ClientAddress", _) => HashSource::ClientAddress,
            ("Path", _) => HashSource::Path,
            ("Header", Some(name)) => HashSource::Header(name.value.to_ascii_lowercase().into()),
            ("Cookie", Some(name)) => HashSource::Cookie(name.value.clone()),
            (other @ ("Header" | "Cookie"), None) => {
                let place = name.as_ref().map_or(kind.place, |name| name.place);
                self.refuse(place, format!("hashing on a {other} needs its name"));
                HashSource::ClientAddress
            }
            (other, _) => {
                let message = format!("`{other}` can't be hashed on");
                self.view
                    .error(self.object, codes::POLICY_VALUE, kind, message)
                    .help("use ClientAddress, Header, Cookie or Path");
                HashSource::ClientAddress
            }
        }
    }

    fn retry_budget(
        &mut self,
        written: Option<&raw::RetryBudget>,
        standard: RetryBudget,
    ) -> RetryBudget {
        let Some(written) = written else { return standard };
        let floor = written.min_per_second.as_ref();
        RetryBudget {
            percent: self.percent(written.percent.as_ref(), standard.percent),
            floor_per_second: floor.map_or(standard.floor_per_second, |floor| floor.value),
        }
    }

    fn ejection(&mut self, written: Option<&raw::Ejection>, standard: Ejection) -> Ejection {
        let Some(written) = written else { return standard };
        let off = written.enabled.as_ref().is_some_and(|enabled| !enabled.value);
        let failures = written.consecutive_failures.as_ref();
        let base = self.above_zero(&written.base, standard.base);
        let mut max = self.above_zero(&written.max, standard.max.max(base));
        if let Some(asked) = written.max.as_ref().filter(|_| max < base) {
            self.refuse(asked.place, "the longest ejection is shorter than the first".to_owned());
            max = base;
        }
        Ejection {
            consecutive_failures: if off {
                0
            } else {
                failures.map_or(standard.consecutive_failures, |failures| failures.value)
            },
            base,
            max,
            max_percent: self.percent(written.max_percent.as_ref(), standard.max_percent),
        }
    }

    fn proxy_protocol(&mut self, version: &At<Name>) -> Option<ProxyProtocolVersion> {
        match &*version.value {
            "v1" => Some(ProxyProtocolVersion::V1),
            "v2" => Some(ProxyProtocolVersion::V2),
            other => {
                let message = format!("`{other}` is no version of the PROXY protocol");
                self.view
                    .error(self.object, codes::POLICY_VALUE, version, message)
                    .help("use v1 or v2");
                None
            }
        }
    }
}

/// Reports the fields that have no effect on a target of the kind.
pub(super) fn tell_unused(
    view: &mut View<'_>,
    object: &Object,
    policy: &TrafficPolicy,
    kind: Kind,
) {
    let for_backends = [
        ("balance", policy.balance.as_ref().map(|one| one.kind.place)),
        ("connectTimeout", policy.connect_timeout.as_ref().map(|one| one.place)),
        ("retryBudget", policy.retry_budget.as_ref().map(budget_place)),
        ("ejection", policy.ejection.as_ref().map(ejection_place)),
        ("slowStart", policy.slow_start.as_ref().map(|one| one.place)),
        ("proxyProtocol", policy.proxy_protocol.as_ref().map(|one| one.place)),
        ("maxRequests", policy.max_requests.as_ref().map(|one| one.place)),
    ];
    let for_requests = [
        ("request", policy.request_timeout.as_ref().map(|one| one.place)),
        ("backendRequest", policy.backend_request_timeout.as_ref().map(|one| one.place)),
        ("streamIdle", policy.stream_idle_timeout.as_ref().map(|one| one.place)),
    ];
    let (unused, elsewhere): (&[_], _) = match kind {
        Kind::Service | Kind::Backend => (&for_requests, "a route or Gateway"),
        _ => (&for_backends, "a Service or Backend"),
    };
    for (field, place) in unused {
        if let Some(place) = place {
            let message = format!("`{field}` has no effect on a {kind}");
            view.warning(object, codes::POLICY_FIELD_UNUSED, place, message)
                .help(format!("write it in a TrafficPolicy whose target is {elsewhere}"));
        }
    }
}

fn budget_place(budget: &raw::RetryBudget) -> Place {
    let written = budget.percent.as_ref().or(budget.min_per_second.as_ref());
    written.map_or(Place::default(), |one| one.place)
}

fn ejection_place(ejection: &raw::Ejection) -> Place {
    let flag = ejection.enabled.as_ref().map(|one| one.place);
    let failures = ejection.consecutive_failures.as_ref().map(|one| one.place);
    flag.or(failures).unwrap_or_default()
}
