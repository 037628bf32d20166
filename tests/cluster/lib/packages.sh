# shellcheck shell=bash
# What Debian has of a cluster.

# program:package
NEEDED=(etcd:etcd-server containerd:containerd runc:runc /usr/lib/cni/ptp:containernetworking-plugins
    iptables:iptables conntrack:conntrack ip:iproute2 openssl:openssl curl:curl)
POLICY=/usr/sbin/policy-rc.d

install_packages() {
    local pair missing=()
    for pair in "${NEEDED[@]}"; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "not installed: ${missing[*]}"
    # In a shell of its own, so that the policy goes whatever happens.
    (
        # etcd and containerd would start as services.
        if [ ! -e "$POLICY" ]; then
            trap 'rm -f "$POLICY"' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$POLICY"
            chmod 755 "$POLICY"
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
    )
}
