//! MC0001 to MC0099: what can be wrong with one document, read alone.

super::table! {
    NOT_YAML = 1 "not YAML"
    => "correct the text at this place or in the line above it"
"The document can't be read as YAML from this place on. Nothing of it is used; what it
held before keeps working.

    spec:
      hostnames: [a.example.com      # the bracket is never closed

The place is where the reader gave up: the cause often stands one line above. Tabs can't
indent, and a value with `: ` or ` #` in it needs quotes.
";

    TOO_LARGE = 2 "larger than what is read"
    => "split it with `---` lines"
"A document may hold 250,000 values, 16 MiB of text and 96 levels, counted after its
aliases (`*name`) are followed, so that no file can stall the program or fill its
memory.

Split the document with `---` lines, or write out what the aliases repeat only where it
is needed.
";

    DUPLICATE_KEY = 3 "the same key twice"
    => "remove one of them"
"A map has one value for each key. Readers of YAML keep the first or the last one, each
as it likes.

    metadata:
      name: shop
      name: cart     # which one?

Remove one of them. In a list, a forgotten `-` often looks like this.
";

    AMBIGUOUS_SCALAR = 4 "a value that reads as two things"
    => "write what is meant in the form that every reader knows, or put it in quotes"
"kubectl reads YAML 1.1, newer tools read YAML 1.2, and they disagree about this value:

    on, off, yes, no, y, n   booleans for kubectl, strings for others
    012                      10 for kubectl (octal), 12 for others
    1_000, 0b11              numbers for kubectl, strings for others
    !tag value               whatever a tool makes of the tag

meshctl reads what kubectl reads. Write `true`, `10`, or put a string in quotes, and
everybody agrees.
";

    AMBIGUOUS_KEY = 5 "a key that isn't the text that was written"
    => "put the key in quotes"
"kubectl turns an unquoted key into a value and back into text: `on:` becomes `true:`,
`1_000:` becomes `1000:`. A key that is a list, a map or nothing isn't a key at all.

    data:
      on: \"1\"       # kubectl stores this under `true`

Put the key in quotes.
";

    NOT_AN_OBJECT = 6 "not a whole object"
    => "write `apiVersion`, `kind` and `metadata.name`"
"A Kubernetes object needs `apiVersion`, `kind` and `metadata.name`.

    apiVersion: gateway.networking.k8s.io/v1
    kind: HTTPRoute
    metadata:
      name: shop

YAML without `apiVersion` and `kind` is passed over silently; with only one of them it
looks like an object that lost something.
";

    UNKNOWN_KIND = 10 "unknown kind"
    => "correct `kind`; upper and lower case count"
"The API group is one that meshctl serves, but it has no such kind. Spelling and case
count.

    apiVersion: gateway.networking.k8s.io/v1
    kind: HttpRoute                              # HTTPRoute

Kinds of other API groups are passed over.
";

    UNKNOWN_VERSION = 11 "unknown apiVersion"
    => "correct `apiVersion`"
"The kind is known, but not in this version or under this group's spelling. Gateway API
kinds are read as `gateway.networking.k8s.io/v1` and in the older versions that have the
same shape (`v1beta1`, and `v1alpha2` or `v1alpha3` where a kind had them), meshctl's
own as `meshctl.dev/v1alpha1`.

Change `apiVersion` to what the help line says. An older shape may have to be rewritten.
";

    UNKNOWN_FIELD = 12 "unknown field"
    => "correct the name, or move the field to where it belongs"
"The kind has no field of this name at this place. An API server would refuse it (`strict
decoding error`) or drop it silently; a setting that does nothing is worse than none.

    spec:
      hostnmes: [shop.example.com]     # hostnames

Correct the spelling, or move the field to where it belongs: often it is indented too
far or too little. In Kubernetes' own kinds (Service, Secret, …) it is a warning,
because clusters of other versions know other fields.
";

    MISSING_FIELD = 13 "missing field"
    => "add the field"
"A field that must be there isn't, or is `null`.

    backendRefs:
    - port: 8080        # name: which Service?

Add the field. The place is that of the map that should hold it.
";

    WRONG_TYPE = 14 "wrong type"
    => "write the kind of value that is expected"
"The field wants another kind of value: a string where there is a number, a list where
there is a map.

    value: 10           # headers are strings: \"10\"
    hostnames: shop     # a list: [shop]

Unquoted `yes`, `no`, `on`, `off`, `true` and `false` are booleans, digits are numbers:
put them in quotes where a string is wanted.
";

    OUT_OF_RANGE = 15 "number out of range"
    => "write a number within the range"
"The number is smaller or larger than the field allows.

    port: 80800         # 1 to 65535

The help line says what is allowed.
";

    UNKNOWN_VALUE = 16 "unknown value"
    => "write one of the known words; upper and lower case count"
"The field takes one of a few words, and this isn't one of them. Case counts.

    path:
      type: Prefix      # PathPrefix

The help line lists the words.
";

    BAD_NAME = 17 "not a valid name"
    => "use lower-case letters, digits and `-`, start and end with a letter or digit"
"Names follow RFC 1123, as in Kubernetes: lower-case letters, digits and `-`, starting
and ending with a letter or digit, at most 63 characters; names of most objects may have
several such parts with dots between them, 253 characters in all.

    name: Shop_v2       # shop-v2
";

    BAD_HOSTNAME = 18 "not a valid hostname"
    => "use a lower-case name without scheme and port"
"A hostname is lower case, has no port, no scheme and no trailing dot, and isn't an IP
address. Where a wildcard is allowed it is the whole first label.

    hostnames:
    - \"*.example.com\"         # good
    - \"shop.*.com\"            # not the first label
    - \"https://example.com\"   # no scheme
";

    BAD_DURATION = 19 "not a valid duration"
    => "write `30s`, `5m` or `250ms`"
"Durations are written as in the Gateway API (GEP-2257): one to four numbers of at most
five digits, each with its unit `h`, `m`, `s` or `ms`.

    5m   30s   1h30m   1s500ms   250ms

No fraction, no sign, no days, and a unit even for zero: `0s`.
";

    BAD_QUANTITY = 20 "not a valid quantity"
    => "write it as `65536` or `64Ki`"
"A number of bytes is written as in Kubernetes: digits, and one of `Ki`, `Mi`, `Gi`
(powers of 1024) or `k`, `M`, `G` (powers of 1000).

    headerBytes: 64Ki
";

    BAD_HEADER = 21 "not a valid header name or value"
    => "write a name of letters, digits and `-`, a value of visible ASCII"
"Header names are tokens (RFC 9110): letters, digits and any of !#$%&'*+-.^_`|~. Values
are visible ASCII; a space or tab may stand between words, never at the ends, and never
two together.

    name: \"X Team\"      # X-Team
";

    BAD_LENGTH = 22 "too many or too few"
    => "keep to what the API allows; entries may move to an object of their own"
"The API bounds every list, map and text. For an HTTPRoute: 16 hostnames, 16 rules, 64
matches in a rule and 128 in all, 16 filters, 16 backendRefs, 32 parentRefs.

Split the object: several routes may name the same parent and hostname, their rules are
merged.
";

    REPEATED = 23 "the same thing twice"
    => "remove or rename one of the two"
"Entries of this list must differ: listeners and rules by name, headers by name, parents
by name and section, a filter by its type.

    listeners:
    - name: http
    - name: http        # http-internal

Rename or remove one of them.
";

    BAD_PATH = 24 "not a valid path"
    => "start with `/`; no `//`, `/./`, `/../`, `%2f`, `?` or `#`"
"A path of type Exact or PathPrefix starts with `/`, is already normalised (no `//`,
`/./`, `/../`, no `%2f`) and has only characters that a URL path may have; `?` and `#`
end a path.

    path:
      type: PathPrefix
      value: shop/       # /shop

Queries are matched by `queryParams`.
";

    BAD_BASE64 = 25 "not base64"
    => "write what `base64 -w0 FILE` prints"
"`data` of a Secret and `binaryData` of a ConfigMap are base64 (RFC 4648, with `+`, `/`
and padding).

    stringData:          # plain text goes here, in a Secret
      token: ...

The value is never shown. `base64 -w0 FILE` writes what belongs here.
";

    CONFLICT = 26 "fields that exclude or need each other"
    => "keep one of the two, or add the one that is missing"
"Each of the fields may stand here, but not both of them, or not one without the other:
RequestRedirect with URLRewrite or with backendRefs, `percent` with `fraction`, `tls` on
an HTTP listener, a `backendRequest` timeout longer than `request`, and so on. An API
server refuses the object.

The message names the two; remove one, or add what is missing.
";

    WRONG_MEMBER = 27 "a type and its field don't agree"
    => "change `type`, or write the field that belongs to it"
"`type` says which one of the other fields counts, and that one must be there alone.

    filters:
    - type: URLRewrite
      requestRedirect: {hostname: a.example.com}    # urlRewrite

Set `type` to what the field is for, or write the field that `type` names.
";

    BAD_ADDRESS = 28 "not a valid address"
    => "write `HOST:PORT`, `[IPv6]:PORT` or `unix:/absolute/path`"
"Endpoints of a Backend are `HOST:PORT`, `[IPv6]:PORT` or `unix:/absolute/path`; networks
are CIDRs.

    endpoints:
    - legacy.example.com:8080
    - \"[2001:db8::1]:8080\"
    - unix:/run/app.sock

    proxyProtocol:
      from: [10.0.0.0/8]
";

    NOT_SERVED = 29 "known, but not served by this version"
    => "remove it, or use a version of meshctl that serves it"
"The resource or field is part of the Gateway API or of meshctl.dev, but this version of
meshctl does nothing with it. It is an error where ignoring it would let traffic through
that it was meant to stop or send nowhere, a warning elsewhere.

`meshctl version` says what this version serves. Remove it, or upgrade.
";

    BAD_ANNOTATION = 30 "an annotation of meshctl can't be read"
    => "write the annotation in the form that `meshctl explain MC0030` shows"
"Annotations under `meshctl.dev/` are settings, and a setting that isn't understood does
nothing.

    annotations:
      meshctl.dev/from-files: tls.crt=cert.pem,tls.key=key.pem

`from-files` is a list of KEY=FILE with commas between; files are found next to the
manifest.
";

    BAD_TEXT = 31 "text of the wrong form"
    => "write the text in the form that the field has"
"The field has a form of its own that this text doesn't have: a gRPC service
(`shop.v1.Cart`), an origin (`https://example.com`), a URI, a controller name
(`example.com/name`).

The help line says what the form is.
";
}
