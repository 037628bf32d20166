# shellcheck shell=bash
# The cluster's own processes. A process is known by its id and its whole command line, which names
# files of this cluster, so that an id that was given to another process is not mistaken for ours.

# start NAME COMMAND...
start() {
    local name=$1
    shift
    mkdir -p "$STATE/processes" "$STATE/log"
    printf '%s\0' "$@" >"$STATE/processes/$name.command"
    setsid "$@" >>"$STATE/log/$name" 2>&1 </dev/null &
    echo $! >"$STATE/processes/$name.pid"
    # Until then it is a copy of this shell.
    for _ in {1..20}; do
        ! alive "$name" || return 0
        sleep 0.05
    done
    die "can't start $name (its log: $STATE/log/$name)"
}

# alive NAME
alive() {
    local pid
    pid=$(cat "$STATE/processes/$1.pid" 2>/dev/null) || return 1
    [ "$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline")" = "$(tr '\0' '\n' <"$STATE/processes/$1.command")" ]
}

# stop NAME SECONDS
stop() {
    local name=$1 tenths=$(($2 * 10))
    alive "$name" || return 0
    kill "$(cat "$STATE/processes/$name.pid")"
    while alive "$name"; do
        if [ $((tenths--)) -le 0 ]; then
            kill -9 "$(cat "$STATE/processes/$name.pid")" || true
            sleep 0.2
        fi
        sleep 0.1
    done
}

# wait_for SECONDS WHAT COMMAND...: a process that ends meanwhile is told of with the end of its log
wait_for() {
    local until=$((SECONDS + $1)) what=$2 file name
    shift 2
    until "$@" >/dev/null 2>&1; do
        for file in "$STATE"/processes/*.pid; do
            name=$(basename "$file" .pid)
            alive "$name" || { tail -n 15 "$STATE/log/$name" >&2 && die "$name has ended (its log: $STATE/log/$name)"; }
        done
        [ $SECONDS -lt $until ] || die "$what: not in time (logs: $STATE/log)"
        sleep 0.2
    done
}
