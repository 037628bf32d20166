//! Which namespaces a Gateway or listener lets in.

use super::codes;
use super::view::View;
use crate::config::raw::{FromNamespaces, LabelSelector, Object};
use crate::model::{Kind, Name, ObjectKey};
use crate::names;

/// Whether something in `namespace` is let in by a rule that stands in `home`.
pub(super) fn lets_in(
    view: &mut View<'_>,
    rule: &FromNamespaces,
    home: &ObjectKey,
    namespace: &Name,
) -> bool {
    match rule {
        FromNamespaces::All => true,
        FromNamespaces::Same => home.namespace == *namespace,
        FromNamespaces::None | FromNamespaces::Unknown(_) => false,
        FromNamespaces::Selector(selector) => {
            let key = ObjectKey::new(home.store, Kind::Namespace, "", namespace);
            let object = view.object(&key);
            let label = |name: &str| {
                // The API server writes this label on every namespace, directories seldom do.
                if name == names::LABEL_NAMESPACE_NAME {
                    return Some(namespace.clone());
                }
                object.as_ref().and_then(|object| object.meta.labels.get(name).cloned())
            };
            selects(selector, label)
        }
    }
}

fn selects(selector: &LabelSelector, label: impl Fn(&str) -> Option<Name>) -> bool {
    let equal = |(key, value): (&Name, &Name)| label(key).as_ref() == Some(value);
    selector.match_labels.iter().all(equal)
        && selector.match_expressions.iter().all(|(key, operator, values)| {
            let found = label(key);
            let listed = found.as_ref().is_some_and(|value| values.contains(value));
            match &*operator.value {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => false,
            }
        })
}

/// Reports what of a rule can't be understood.
pub(super) fn check(view: &mut View<'_>, object: &Object, rule: &FromNamespaces) {
    match rule {
        FromNamespaces::Unknown(from) => {
            let message = format!("`from: {}` is not known: nothing is let in", from.value);
            view.error(object, codes::BAD_SELECTOR, from, message)
                .help("use Same, All, Selector or None");
        }
        FromNamespaces::Selector(selector) => {
            for (_, operator, _) in &selector.match_expressions {
                if !matches!(&*operator.value, "In" | "NotIn" | "Exists" | "DoesNotExist") {
                    let message =
                        format!("operator `{}` is not known: nothing is let in", operator.value);
                    view.error(object, codes::BAD_SELECTOR, operator, message)
                        .help("use In, NotIn, Exists or DoesNotExist");
                }
            }
        }
        FromNamespaces::None | FromNamespaces::Same | FromNamespaces::All => {}
    }
}
