# shellcheck shell=bash
# Programs that are built from Go modules, once for each version of their sources, and kept in the
# cache: the first time takes minutes, the next none. Sets PROGRAMS, DNS and ECHO (folders).

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

# build FOLDER MODULE FLAGS PACKAGE...: one program for each package into FOLDER
build() {
    local folder=$1 module=$2 flags=$3
    shift 3
    [ ! -d "$folder" ] || return 0
    command -v go >/dev/null || die 'not installed: go'
    mkdir -p "$CACHE"
    local building
    building=$(mktemp -d "$CACHE/building.XXXXXX")
    echo "building $* (kept in the cache)" >&2
    (cd "$module" && CGO_ENABLED=0 nice -n 5 go build -trimpath -buildvcs=false -ldflags "-s -w $flags" -o "$building/" "$@") ||
        { rm -rf "$building" && die "can't build $*"; }
    chmod 755 "$building"
    # Another run may have been faster: then theirs is as good.
    mv -T "$building" "$folder" 2>/dev/null || rm -rf "$building"
}

build_kubernetes() {
    local module=$MODULES/programs packages=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)
    PROGRAMS=$CACHE/kubernetes-$KUBERNETES_VERSION-$(key "$module" tools.go)
    command -v kubectl >/dev/null || { packages+=(kubectl) && PROGRAMS+=-kubectl; }
    build "$PROGRAMS" "$module" "-X k8s.io/component-base/version.gitVersion=v$KUBERNETES_VERSION" \
        "${packages[@]/#/k8s.io/kubernetes/cmd/}"
    OWN=$CACHE/cluster-$(key "$module" loadbalancer pause)
    build "$OWN" "$module" '' ./loadbalancer ./pause
    DNS=$CACHE/coredns-${COREDNS_IMAGE#*:v}-$(key "$MODULES/coredns" .)
    build "$DNS" "$MODULES/coredns" '' .
}

build_echo() {
    local module=$MODULES/../conformance
    ECHO=$CACHE/echo-basic-$(key "$module" tools.go)
    build "$ECHO" "$module" '' sigs.k8s.io/gateway-api/conformance/echo-basic
}
