# shellcheck shell=bash
# One authority, a certificate and a kubeconfig for each that talks to the API server.

make_credentials() {
    mkdir -p "$STATE/pki" "$STATE/kubeconfig"
    chmod 700 "$STATE/pki" "$STATE/kubeconfig"
    (
        cd "$STATE/pki" || exit
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=meshctl-tests \
            -keyout ca.key -out ca.crt 2>/dev/null
        openssl genrsa -out accounts.key 2048 2>/dev/null
    )
    local names=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
    certificate apiserver /CN=kube-apiserver "$names,DNS:localhost,IP:$NODE_ADDRESS,IP:$API_SERVICE,IP:127.0.0.1"
    client admin /O=system:masters/CN=admin
    client controller-manager /CN=system:kube-controller-manager
    client scheduler /CN=system:kube-scheduler
    client kubelet "/O=system:nodes/CN=system:node:$NODE"
    client proxy /CN=system:kube-proxy
    client loadbalancer /CN=meshctl-tests-loadbalancer
}

# certificate NAME SUBJECT [NAMES]
certificate() {
    local name=$1 subject=$2 names=${3:-}
    (
        cd "$STATE/pki" || exit
        printf 'keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n%s\n' "${names:+subjectAltName=$names}" >"$name.ext"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$subject" -keyout "$name.key" -out "$name.csr" 2>/dev/null
        openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile "$name.ext" -out "$name.crt" 2>/dev/null
        rm "$name.csr" "$name.ext"
    )
}

# client NAME SUBJECT
client() {
    certificate "$1" "$2"
    cat >"$STATE/kubeconfig/$1" <<END
apiVersion: v1
kind: Config
clusters: [{name: meshctl-tests, cluster: {server: "$API", certificate-authority-data: $(base64 -w 0 "$STATE/pki/ca.crt")}}]
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w 0 "$STATE/pki/$1.crt")
    client-key-data: $(base64 -w 0 "$STATE/pki/$1.key")
contexts: [{name: meshctl-tests, context: {cluster: meshctl-tests, user: $1}}]
current-context: meshctl-tests
END
}
