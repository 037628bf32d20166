# shellcheck shell=bash
# etcd, the API server, the controllers and the scheduler.

ETCD=http://127.0.0.1:23790
ETCD_PEER=http://127.0.0.1:23800

start_api() {
    # What is lost with the machine's power is nobody's loss here.
    start etcd etcd --name meshctl-tests --data-dir "$STATE/etcd" --unsafe-no-fsync --logger zap --log-level warn \
        --listen-client-urls "$ETCD" --advertise-client-urls "$ETCD" --listen-peer-urls "$ETCD_PEER" \
        --initial-advertise-peer-urls "$ETCD_PEER" --initial-cluster "meshctl-tests=$ETCD_PEER"
    cat >"$STATE/audit-policy.yaml" <<END
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
END
    start kube-apiserver "$PROGRAMS/kube-apiserver" --etcd-servers="$ETCD" \
        --bind-address="$NODE_ADDRESS" --advertise-address="$NODE_ADDRESS" --secure-port=6443 \
        --tls-cert-file="$STATE/pki/apiserver.crt" --tls-private-key-file="$STATE/pki/apiserver.key" \
        --client-ca-file="$STATE/pki/ca.crt" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
        --kubelet-client-certificate="$STATE/pki/admin.crt" --kubelet-client-key="$STATE/pki/admin.key" \
        --kubelet-preferred-address-types=InternalIP --allow-privileged=true \
        --service-cluster-ip-range="$SERVICE_NETWORK" \
        --service-account-issuer=https://kubernetes.default.svc.cluster.local \
        --service-account-key-file="$STATE/pki/accounts.key" --service-account-signing-key-file="$STATE/pki/accounts.key" \
        --audit-policy-file="$STATE/audit-policy.yaml" --audit-log-path="$STATE/audit.log" --audit-log-maxsize=2000
}

start_controllers() {
    # Drills stop the API server: a node that is heard late after it isn't to be given up, nor its pods.
    start kube-controller-manager "$PROGRAMS/kube-controller-manager" --kubeconfig="$STATE/kubeconfig/controller-manager" \
        --authentication-kubeconfig="$STATE/kubeconfig/controller-manager" \
        --authorization-kubeconfig="$STATE/kubeconfig/controller-manager" \
        --bind-address=127.0.0.1 --leader-elect=false --use-service-account-credentials=true \
        --node-monitor-grace-period=180s \
        --root-ca-file="$STATE/pki/ca.crt" --service-account-private-key-file="$STATE/pki/accounts.key" \
        --cluster-signing-cert-file="$STATE/pki/ca.crt" --cluster-signing-key-file="$STATE/pki/ca.key"
    start kube-scheduler "$PROGRAMS/kube-scheduler" --kubeconfig="$STATE/kubeconfig/scheduler" \
        --authentication-kubeconfig="$STATE/kubeconfig/scheduler" --authorization-kubeconfig="$STATE/kubeconfig/scheduler" \
        --bind-address=127.0.0.1 --leader-elect=false
}
