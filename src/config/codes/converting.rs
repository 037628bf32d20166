//! MC0300 and up: what `meshctl convert` says about other people's kinds.

super::table! {
    NOT_CARRIED = 300 "nothing here means the same"
    => "write by hand what it did, or do without it"
"A field or annotation of an Ingress or of Istio has no counterpart in the Gateway API or
in meshctl's own kinds, so the output is without it.

    metadata:
      annotations:
        nginx.ingress.kubernetes.io/proxy-body-size: 8m

`meshctl convert` answers 1 when it had to say this. Nothing is left out without a word:
what no part of the conversion asked for is reported as well.
";

    CARRIED_DIFFERENTLY = 301 "carried over, with a difference"
    => "compare the two, and keep what suits you"
"The output does nearly the same. What differs is said, because somebody may rely on it.

    - path: /shop                # nginx: /shop, /shop/x and /shopping
      pathType: ImplementationSpecific

becomes the prefix `/shop` of the Gateway API, which ends at a `/`.
";

    NOT_CONVERTED = 302 "can't be read as what it says it is"
    => "correct it, and convert again"
"A value of the input is not of the kind that its field has, or something is missing that
the rest depends on: the number of a port that is only named, the labels of a subset, the
Service that a destination means.

Services are read for this: convert them together with what names them, for example by
`kubectl get svc,virtualservice,destinationrule -A -o yaml | meshctl convert -f -`.
";

    ORDER_MATTERS = 303 "another rule would win"
    => "add the conditions of the earlier rule to the later one, or remove one of them"
"Istio takes the first rule that matches, the Gateway API the most specific one: the exact
path, then the longest prefix, then a method, then the most headers. Where both rules
match a request, another one wins after the conversion.

    http:
    - match: [{uri: {prefix: /}}]
      route: [{destination: {host: site}}]
    - match: [{uri: {prefix: /api}}]        # never reached in Istio
      route: [{destination: {host: api}}]
";

    PROTECTION_LOST = 304 "a protection could not be carried over"
    => "put the protection elsewhere, then convert with --unprotected"
"An annotation or field decides who may call, and nothing here does the same. Routes
without it would be open to anyone, so they are left out.

    nginx.ingress.kubernetes.io/auth-url: https://auth.example/check
    nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8

Protect the application in another way (a NetworkPolicy, the load balancer's source
ranges, the application itself), and convert again with `--unprotected`, which writes
the routes and says the same as before.
";
}
