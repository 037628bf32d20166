//! Which of what is listed is meant: by its name, by its namespace. A name alone means one of any
//! namespace.

/// Nothing given takes everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `NAME` or `NAMESPACE/NAME`.
    pub name: Option<String>,
    pub namespace: Option<String>,
}

impl Wanted {
    pub fn takes(&self, namespace: &str, name: &str) -> bool {
        let named = |wanted: &String| match wanted.split_once('/') {
            Some(full) => full == (namespace, name),
            None => wanted == name,
        };
        self.is_in(namespace) && self.name.as_ref().is_none_or(named)
    }

    /// The same of a name as metrics write it: `shop/cart`, of a Service `shop/cart:8080`.
    pub fn takes_label(&self, label: &str) -> bool {
        let (namespace, name) = label.split_once('/').unwrap_or(("", label));
        let without_port = name.split(':').next().unwrap_or_default();
        self.takes(namespace, name) || self.takes(namespace, without_port)
    }

    pub fn is_in(&self, namespace: &str) -> bool {
        self.namespace.as_ref().is_none_or(|wanted| wanted == namespace)
    }
}

#[cfg(test)]
mod tests;
