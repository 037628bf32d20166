//! Configurations that are worth starting from, and run unedited.

#[derive(Debug)]
pub struct Example {
    pub name: &'static str,
    pub about: &'static str,
    pub text: &'static str,
}

impl Example {
    pub const ALL: &[Self] = &[
        Self {
            name: "canary",
            about: "10 % of the requests go to a second version",
            text: include_str!("../../templates/examples/canary.yaml"),
        },
        Self {
            name: "hosts",
            about: "two hosts and a path, a redirect, a header for the backend",
            text: include_str!("../../templates/examples/hosts.yaml"),
        },
        Self {
            name: "mirror",
            about: "a second version sees copies of requests, and its answers are thrown away",
            text: include_str!("../../templates/examples/mirror.yaml"),
        },
    ];

    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|example| example.name == name)
    }
}
