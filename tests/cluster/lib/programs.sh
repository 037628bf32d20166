# shellcheck shell=bash
# Programs that are built from Go modules, once for each version of their sources, and kept in the
# cache: the first time takes minutes, the next none. Sets PROGRAMS, OWN, DNS and ECHO (folders).

MODULES=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# key MODULE PATTERN...: of the sources that decide what is built
key() {
    local module=$1
    shift
    (
        cd "$module" || exit
        # shellcheck disable=SC2046
        { go version && sha256sum go.mod go.sum $(find "$@" -name '*.go' | LC_ALL=C sort); } | sha256sum | cut -c 1-12
    )
}

# build FOLDER MODULE COMMAND ARGUMENT...: runs `go COMMAND ARGUMENT...` for what it writes into FOLDER
build() {
    local folder=$1 module=$2 command building
    read -ra command <<<"$3"
    shift 3
    [ ! -d "$folder" ] || return 0
    command -v go >/dev/null || die 'not installed: go'
    mkdir -p "$CACHE"
    building=$(mktemp -d "$CACHE/building.XXXXXX")
    chmod 755 "$building"
    echo "building ${folder##*/} (it is kept in the cache)" >&2
    (cd "$module" && CGO_ENABLED=0 nice -n 5 go "${command[@]}" -trimpath -buildvcs=false -o "$building/" "$@") ||
        { rm -rf "$building" && die "can't build ${folder##*/}"; }
    # Another run may have been faster: then theirs is as good.
    mv -T "$building" "$folder" 2>/dev/null || rm -rf "$building"
}

build_kubernetes() {
    local module=$MODULES/programs packages=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)
    PROGRAMS=$CACHE/kubernetes-$KUBERNETES_VERSION-$(key "$module" tools.go)
    command -v kubectl >/dev/null || { packages+=(kubectl) && PROGRAMS+=-kubectl; }
    build "$PROGRAMS" "$module" build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$KUBERNETES_VERSION" \
        "${packages[@]/#/k8s.io/kubernetes/cmd/}"
    OWN=$CACHE/cluster-$(key "$module" loadbalancer pause probe)
    build "$OWN" "$module" build -ldflags '-s -w' ./loadbalancer ./pause ./probe
    DNS=$CACHE/coredns-${COREDNS_IMAGE#*:v}-$(key "$MODULES/coredns" .)
    build "$DNS" "$MODULES/coredns" build -ldflags '-s -w' .
}

# The conformance suite's backend.
build_echo() {
    local module=$MODULES/../conformance
    ECHO=$CACHE/echo-basic-$(key "$module" tools.go)
    build "$ECHO" "$module" build -ldflags '-s -w' sigs.k8s.io/gateway-api/conformance/echo-basic
}
