# shellcheck shell=bash
# The node: containerd, kubelet, kube-proxy, and what they read.

write_containerd() {
    mkdir -p "$STATE/cni"
    cat >"$STATE/containerd.toml" <<END
version = 2
root = "$STATE/containerd"
state = "$STATE/containerd-state"
oom_score = 0
[grpc]
  address = "$CONTAINERD"
[plugins."io.containerd.internal.v1.opt"]
  path = "$STATE/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  # Without CAP_SYS_RESOURCE runc may not lower it.
  restrict_oom_score_adj = true
  # Below /run/netns they would get in the way of, and be kept busy by, other users of that folder.
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$STATE/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
END
    # Each pod has a link of its own to the host: with all of them on one bridge, an answer to a
    # neighbour would not pass the rules that translate Services' addresses back.
    cat >"$STATE/cni/pods.conflist" <<END
{"cniVersion": "0.4.0", "name": "meshctl-tests", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {
    "type": "host-local", "dataDir": "$STATE/cni-addresses",
    "ranges": [[{"subnet": "$POD_NETWORK", "gateway": "$POD_GATEWAY"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END
}

write_kubelet() {
    cat >"$STATE/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_ADDRESS
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $STATE/pki/ca.crt}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$CONTAINERD
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
resolvConf: ""
clusterDNS: [$DNS_SERVICE]
clusterDomain: cluster.local
podLogsDir: $STATE/pod-logs
volumePluginDir: $STATE/kubelet-plugins
maxPods: 250
serializeImagePulls: false
# Nobody would bring an image back.
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
END
}

write_proxy() {
    cat >"$STATE/proxy.yaml" <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clientConnection: {kubeconfig: $STATE/kubeconfig/proxy}
hostnameOverride: $NODE
clusterCIDR: $POD_NETWORK
nodePortAddresses: [$NODE_ADDRESS/32]
healthzBindAddress: $NODE_ADDRESS:10256
metricsBindAddress: 127.0.0.1:10249
oomScoreAdj: 0
iptables: {localhostNodePorts: false}
# The machine's own limits stay what they are.
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
END
}

start_containerd() {
    write_containerd
    start containerd containerd --config "$STATE/containerd.toml"
    wait_for 20 containerd ctr version
    import "$OWN/pause" "$PAUSE_IMAGE"
    import "$DNS/coredns" "$COREDNS_IMAGE"
}

start_node() {
    write_kubelet
    write_proxy
    start kubelet "$PROGRAMS/kubelet" --config="$STATE/kubelet.yaml" --kubeconfig="$STATE/kubeconfig/kubelet" \
        --hostname-override="$NODE" --node-ip="$NODE_ADDRESS" --root-dir="$STATE/kubelet" --cert-dir="$STATE/kubelet-pki"
    start kube-proxy "$PROGRAMS/kube-proxy" --config="$STATE/proxy.yaml"
    start loadbalancer "$OWN/loadbalancer" --kubeconfig "$STATE/kubeconfig/loadbalancer" --pool "$POOL" --dynamic "$POOL_DYNAMIC"
}
