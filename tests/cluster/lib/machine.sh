# shellcheck shell=bash
# What the cluster changes on the machine, and how that is found and undone again.

cgroups() {
    find /sys/fs/cgroup -maxdepth 2 -type d -name kubepods 2>/dev/null
}

# Below a folder, deepest first.
mounts_below() {
    awk -v folder="$1/" 'index($5, folder) == 1 { print $5 }' /proc/self/mountinfo | sort -r
}

chains() {
    local save
    for save in iptables-save ip6tables-save; do
        "$save" 2>/dev/null | grep -E '^:(KUBE|CNI)-' | sed "s/^:\([^ ]*\).*/${save%-save} \1/" || true
    done
}

# Of pods: the host's ends of their links carry the address that they have for a gateway.
pod_links() {
    ip -4 -oneline address show 2>/dev/null | awk -v gateway="$POD_GATEWAY/32" '$4 == gateway { print $2 }'
}

# Another Kubernetes on this machine would lose its pods and rules to `down`.
refuse_another() {
    local found
    found=$(cgroups && chains | head -n 3)
    [ -z "$found" ] || die "there is a Kubernetes on this machine, and not in $STATE:"$'\n'"$found"
    ! ip link show "$BRIDGE" >/dev/null 2>&1 || die "there is a link $BRIDGE"
}

remember_machine() {
    local name place
    mkdir -p "$STATE/before"
    for name in "${SYSCTLS[@]}"; do
        [ ! -r "/proc/sys/$name" ] || printf '%s %s\n' "$name" "$(cat "/proc/sys/$name")"
    done >"$STATE/before/sysctls"
    for place in "${FIXED_PLACES[@]}"; do
        [ ! -e "$place" ] || echo "$place"
    done >"$STATE/before/places"
}

# There is no link type `dummy` everywhere, but bridges are.
make_network() {
    ip link add "$BRIDGE" type bridge
    ip address add "$NODE_ADDRESS/32" dev "$BRIDGE"
    ip link set "$BRIDGE" up
    # kube-proxy answers for the pool's addresses, but a packet needs a way to leave by before that.
    ip route add "$POOL" dev "$BRIDGE" src "$NODE_ADDRESS"
    echo 1 >/proc/sys/net/ipv4/ip_forward
}

kill_pods() {
    local cgroup pids
    for _ in {1..50}; do
        pids=$(for cgroup in $(cgroups); do find "$cgroup" -name cgroup.procs -exec cat {} +; done | sort -u)
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086
        kill -9 $pids 2>/dev/null || true
        sleep 0.1
    done
}

# processes PROGRAM: the ids of those whose command line names a file of this cluster
processes() {
    local cmdline
    for cmdline in /proc/[0-9]*/cmdline; do
        if tr '\0' ' ' 2>/dev/null <"$cmdline" | grep -qE "^([^ ]*/)?$1 .*[ =]$STATE/"; then
            basename "$(dirname "$cmdline")"
        fi
    done
}

# containerd leaves one process for each pod, so that it can be restarted without them.
kill_shims() {
    local pids
    pids=$(processes 'containerd-shim[^ ]*')
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
}

unmount_below() {
    local mount
    for mount in $(mounts_below "$1"); do
        umount "$mount" 2>/dev/null || umount --lazy "$mount" || true
    done
}

remove_rules() {
    local family
    for family in iptables ip6tables; do
        # Not `grep -q`: it leaves before it has read everything, and pipefail takes that for a no.
        "$family-save" 2>/dev/null | grep -E 'KUBE-|CNI-' >/dev/null || continue
        "$family-save" | grep -vE 'KUBE-|CNI-' | "$family-restore"
    done
}

remove_cgroups() {
    local cgroup
    for cgroup in $(cgroups); do
        find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
}

restore_sysctls() {
    local name value
    while read -r name value; do
        [ "$(tr '\t' ' ' <"/proc/sys/$name")" = "$(tr '\t' ' ' <<<"$value")" ] || echo "$value" >"/proc/sys/$name" || true
    done <"$STATE/before/sysctls"
}

remove_places() {
    local place
    for place in "${FIXED_PLACES[@]}"; do
        if [ -e "$place" ] && ! grep -qxF "$place" "$STATE/before/places"; then
            unmount_below "$place"
            rm -rf --one-file-system "$place"
        fi
    done
}

# What is still there, a line for each thing.
leftovers() {
    processes '((etcd|containerd|kube)[^ ]*|loadbalancer)' | sed 's/^/process /'
    mounts_below "$STATE" | sed 's/^/mount /'
    cgroups | sed 's/^/cgroup /'
    chains | sed 's/^/rules: /'
    pod_links | sed 's/^/link /'
    ! ip link show "$BRIDGE" >/dev/null 2>&1 || echo "link $BRIDGE"
    [ ! -e "$STATE" ] || echo "folder $STATE"
}
