# shellcheck shell=bash disable=SC2034
# What the cluster is: versions, addresses, folders. Sourced by the scripts beside this folder.

KUBERNETES_VERSION=1.34.4
# The tags are those that manifests name; all of an image's tags are the same program.
PAUSE_IMAGE=registry.k8s.io/pause:3.6
COREDNS_IMAGE=registry.k8s.io/coredns/coredns:v1.12.2
ECHO_IMAGES=(registry.k8s.io/gateway-api/echo-basic:{v1.5.1,v1.6.0-dev.2,v1.6.0-dev.3})

STATE=${MESHCTL_CLUSTER_DIR:-/run/meshctl-cluster}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/meshctl-tests
KUBECONFIG_FILE=$STATE/kubeconfig/admin

NODE=meshctl-node
BRIDGE=meshctl-node
NODE_ADDRESS=10.88.0.1
# Services of type LoadBalancer: the upper half is only for those that ask for an address.
POOL=10.88.1.0/24
POOL_DYNAMIC=10.88.1.0/25
POD_NETWORK=10.89.0.0/16
POD_GATEWAY=10.89.0.1
SERVICE_NETWORK=10.90.0.0/16
API_SERVICE=10.90.0.1
DNS_SERVICE=10.90.0.10
API=https://$NODE_ADDRESS:6443
CONTAINERD=$STATE/containerd.sock

# Made by containerd and kubelet at places that no flag moves.
FIXED_PLACES=(/run/containerd /var/lib/containerd /opt/containerd /var/lib/kubelet /var/lib/cni
    /var/log/pods /var/log/containers /var/run/kubernetes)
# Set by kubelet, kube-proxy and this script.
SYSCTLS=(net/ipv4/ip_forward vm/overcommit_memory kernel/panic kernel/panic_on_oops
    kernel/keys/root_maxkeys kernel/keys/root_maxbytes net/ipv4/conf/all/route_localnet
    net/ipv4/vs/conntrack net/bridge/bridge-nf-call-iptables net/netfilter/nf_conntrack_max
    net/netfilter/nf_conntrack_tcp_timeout_established net/netfilter/nf_conntrack_tcp_timeout_close_wait
    net/netfilter/nf_conntrack_tcp_be_liberal)

# The newest kubectl is not asked for: any that is installed will do.
kubectl() {
    local program
    program=$(type -P kubectl) || program=$PROGRAMS/kubectl
    "$program" --kubeconfig "$KUBECONFIG_FILE" "$@"
}

ctr() {
    command ctr --address "$CONTAINERD" --namespace k8s.io "$@"
}

die() {
    echo "${0#"$PWD"/}: $*" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || die "this makes links, mounts and cgroups, and so needs root"
}
