//! ReferenceGrant and BackendTLSPolicy.

use super::check;

#[test]
fn grant() {
    check(
        "ReferenceGrant",
        r#"
spec: {from: [{group: a, kind: b}], to: []}
"#,
        r#"
5:16: error[MC0013]: missing field `namespace`; write `namespace` here
5:41: error[MC0022]: `to` needs at least one entry; write an entry below it, with `- ` before it
"#,
    );
}

#[test]
fn backend_tls() {
    check(
        "BackendTLSPolicy",
        r#"
spec:
  targetRefs: [{group: '', kind: Service, name: a}, {group: '', kind: Service, name: a, sectionName: http}, {name: b}]
  validation: {caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}], wellKnownCACertificates: System, hostname: '*.a', subjectAltNames: [{type: URI}, {type: Hostname, hostname: a, uri: 'spiffe://a'}, {type: DNS, hostname: a}, {type: URI, uri: a}]}
"#,
        r#"
6:86: error[MC0023]: several references to one target each need a `sectionName` of their own; remove or rename one of the two
6:110: error[MC0013]: missing field `group`; write `group` here
6:110: error[MC0013]: missing field `kind`; write `kind` here
7:102: error[MC0026]: `caCertificateRefs` and `wellKnownCACertificates` exclude each other; remove one of them
7:120: error[MC0018]: `*.a` is not a valid hostname; use a lower-case name without wildcard, scheme and port
7:152: error[MC0027]: type `URI` goes with `uri` alone; change `type`, or write the field that belongs to it
7:165: error[MC0027]: type `Hostname` goes with `hostname` alone; change `type`, or write the field that belongs to it
7:215: error[MC0016]: unknown value `DNS`; it can be `Hostname` or `URI`
7:251: error[MC0031]: `a` is not a URI; write scheme and path, `spiffe://example.com/ns/shop`
"#,
    );
}

#[test]
fn backend_tls_is_empty() {
    check(
        "BackendTLSPolicy",
        r#"
spec: {targetRefs: [], validation: {}}
"#,
        r#"
5:20: error[MC0022]: `targetRefs` needs at least one entry; write an entry below it, with `- ` before it
5:36: error[MC0013]: missing `caCertificateRefs` or `wellKnownCACertificates`; `wellKnownCACertificates: System` trusts what the system trusts
5:36: error[MC0013]: missing field `hostname`; write `hostname` here
"#,
    );
}

#[test]
fn well_known_ca() {
    check(
        "BackendTLSPolicy",
        r#"
spec: {targetRefs: [{group: '', kind: Service, name: a}], validation: {hostname: a, wellKnownCACertificates: Sytem}}
"#,
        r#"
5:110: error[MC0031]: `Sytem` is not a known set of CA certificates; write `System`
"#,
    );
}
