#!/bin/sh
# Builds meshctl and installs it with its manual pages and completions, or removes it again.
# Nothing runs before the last line has been read, so a copy that was cut off does nothing.

usage() {
    cat <<'END'
Usage: ./install.sh [--from FILE] [--prefix DIR] [--dry-run]
       ./install.sh --uninstall [--prefix DIR] [--dry-run]

  --from FILE    install this binary instead of building one
  --prefix DIR   where to; also the variable PREFIX [default: /usr/local as root, else ~/.local]
  --uninstall    remove what was installed there
  --dry-run      say what would be done, and do nothing
  --help         print this

Building respects CARGO_TARGET_DIR and RUSTFLAGS.
END
}

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# Installed files, relative to the prefix: the binary comes last, when all else is there.
share_files() {
    for page in "$stage"/man/*; do
        say "share/man/man1/${page##*/}"
    done
    say share/bash-completion/completions/meshctl
    say share/zsh/site-functions/_meshctl
    say share/fish/vendor_completions.d/meshctl.fish
}

need_tools() {
    command -v cargo >/dev/null 2>&1 ||
        fail 'cargo is missing: install Rust 1.95 or newer (https://rustup.rs), or give --from FILE'
    version=$(cargo --version | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
    if [ -n "$version" ] && [ "$version" -lt 95 ]; then
        fail "Rust 1.$version is too old, 1.95 is needed: rustup update, or give --from FILE"
    fi
    command -v cc >/dev/null 2>&1 ||
        fail 'a C compiler is missing: apt install gcc libc6-dev, or what your system calls them'
    printf 'int main(void) { return 0; }\n' >"$stage/probe.c"
    cc -static -o "$stage/probe" "$stage/probe.c" >/dev/null 2>&1 ||
        fail 'the C library has no static form here: install libc6-dev (Debian) or glibc-static (Fedora)'
}

build() {
    here=$(cd "$(dirname "$0")" && pwd) || exit
    manifest=$here/Cargo.toml
    [ -f "$manifest" ] ||
        fail 'there is nothing to build beside this script: run it in a clone, or give --from FILE'
    say 'Building needs cargo (Rust 1.95), a C compiler, the network for crates that are not here'
    say 'yet, and 2 GB of disk. It takes about 6 minutes on two cores the first time.'
    if [ "$dry_run" = yes ]; then
        binary=
        return
    fi
    need_tools
    host=$(rustc -vV | sed -n 's/^host: //p')
    commit=$(git -C "$here" rev-parse --short=12 HEAD 2>/dev/null) || commit=
    say "Building for $host"
    # --target keeps the flags away from build scripts and macros, which can't be static.
    flags='-C target-feature=+crt-static --cfg getrandom_backend="linux_getrandom"'
    RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }$flags" MESHCTL_COMMIT=$commit \
        cargo build --release --locked --bin meshctl --target "$host" --manifest-path "$manifest" ||
        fail 'the build failed; what cargo said stands above'
    target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$manifest" |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    binary=$target/$host/release/meshctl
}

# Copies under a name of its own, then renames: a reader sees the old file or the new one.
place() {
    temporary=$prefix/$2.new.$$
    cp "$1" "$temporary"
    chmod "$3" "$temporary"
    mv -f "$temporary" "$prefix/$2"
    temporary=
}

# Makes a directory and those above it, and notes which of them were not there.
make_directory() {
    missing=
    directory=$1
    while [ ! -d "$prefix/$directory" ]; do
        missing="$directory $missing"
        case $directory in
        */*) directory=${directory%/*} ;;
        *) break ;;
        esac
    done
    for directory in $missing; do
        mkdir "$prefix/$directory"
        say "d $directory" | tee -a "$stage/unrecorded" >>"$stage/record"
    done
}

install_files() {
    [ -f "$binary" ] || fail "there is no file $binary"
    cp "$binary" "$stage/meshctl"
    chmod 755 "$stage/meshctl"
    "$stage/meshctl" version >"$stage/version" 2>&1 ||
        fail "$binary does not run here: $(head -n 1 "$stage/version")
Is it for this machine, and may programs run in ${TMPDIR:-/tmp}?"
    case $(head -n 1 "$stage/version") in
    'meshctl '[0-9]*) ;;
    *) fail "$binary is not meshctl: asked for its version it says '$(head -n 1 "$stage/version")'" ;;
    esac
    "$stage/meshctl" man "$stage/man" >/dev/null 2>&1 || true
    [ -f "$stage/man/meshctl.1" ] || fail "$binary makes no manual pages: is it a whole meshctl?"
    for shell in bash zsh fish; do
        "$stage/meshctl" completions "$shell" >"$stage/$shell" 2>/dev/null || true
        [ -s "$stage/$shell" ] ||
            fail "$binary makes no completions for $shell: is it a whole meshctl?"
    done

    mkdir -p "$prefix" 2>/dev/null || true
    [ -w "$prefix" ] || fail "$prefix can't be written: give --prefix DIR, or run this as root"
    record=share/meshctl/installed
    : >"$stage/record"
    if [ -f "$prefix/$record" ]; then
        cat "$prefix/$record" >"$stage/before"
        grep '^d ' "$stage/before" >"$stage/record" || true
    else
        : >"$stage/before"
    fi
    for file in bin/meshctl "$record" $(share_files); do
        make_directory "${file%/*}"
    done
    { say 'f bin/meshctl'; share_files | sed 's/^/f /'; } >>"$stage/record"
    # The record comes first: what is cut off here can still be removed.
    sort -u "$stage/before" "$stage/record" >"$stage/both"
    place "$stage/both" "$record" 644
    rm -f "$stage/unrecorded"
    for page in "$stage"/man/*; do
        place "$page" "share/man/man1/${page##*/}" 644
    done
    place "$stage/bash" share/bash-completion/completions/meshctl 644
    place "$stage/zsh" share/zsh/site-functions/_meshctl 644
    place "$stage/fish" share/fish/vendor_completions.d/meshctl.fish 644
    place "$stage/meshctl" bin/meshctl 755
    # Pages of commands that this version doesn't have.
    sed -n 's/^f //p' "$stage/before" | while IFS= read -r file; do
        grep -qxF "f $file" "$stage/record" || remove "$file"
    done
    place "$stage/record" "$record" 644

    say "Installed $(cat "$stage/version")"
    say "       as $prefix/bin/meshctl"
    case :$PATH: in
    *:"$prefix/bin":*) say 'Begin with: meshctl' ;;
    *)
        say "$prefix/bin is not on your PATH. For this shell, and for the next ones in ~/.profile:"
        say "    export PATH=\"$prefix/bin:\$PATH\""
        ;;
    esac
}

uninstall() {
    record=$prefix/share/meshctl/installed
    if [ ! -f "$record" ]; then
        say "Nothing of meshctl is installed in $prefix."
        return
    fi
    cp "$record" "$stage/record"
    sed -n 's/^f //p' "$stage/record" | while IFS= read -r file; do
        remove "$file"
    done
    [ "$dry_run" = yes ] || rm -f "$record"
    if [ "$dry_run" = no ]; then
        remove_directories "$stage/record"
        say "Removed meshctl from $prefix."
    fi
}

# Deepest first; what holds files of others stays.
remove_directories() {
    sed -n 's/^d //p' "$1" | sort -r | while IFS= read -r directory; do
        rmdir "$prefix/$directory" 2>/dev/null || true
    done
}

remove() {
    case $1 in
    /* | *..*) fail "the record of the installation names $1, which is not ours" ;;
    esac
    if [ "$dry_run" = yes ]; then
        say "would remove $prefix/$1"
    else
        rm -f "$prefix/$1"
    fi
}

# shellcheck disable=SC2317 # a trap calls it
clean_up() {
    [ -z "$temporary" ] || rm -f "$temporary"
    [ ! -f "$stage/unrecorded" ] || remove_directories "$stage/unrecorded"
    rm -rf "$stage"
}

main() {
    set -eu
    umask 022
    from=
    uninstall=no
    dry_run=no
    prefix=${PREFIX:-}
    while [ $# -gt 0 ]; do
        case $1 in
        --from | --prefix)
            [ -n "${2:-}" ] || fail "$1 needs a value; --help says more" 2
            if [ "$1" = --from ]; then from=$2; else prefix=$2; fi
            shift
            ;;
        --uninstall) uninstall=yes ;;
        --dry-run) dry_run=yes ;;
        -h | --help)
            usage
            exit
            ;;
        *) fail "$1 is not an option; --help lists them" 2 ;;
        esac
        shift
    done
    if [ -z "$prefix" ]; then
        if [ "$(id -u)" = 0 ]; then prefix=/usr/local; else prefix=${HOME:?}/.local; fi
    fi
    case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
    esac

    temporary=
    stage=$(mktemp -d)
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    if [ "$uninstall" = yes ]; then
        uninstall
        exit
    fi
    if [ -n "$from" ]; then binary=$from; else build; fi
    if [ "$dry_run" = yes ]; then
        say "would install ${from:-the new binary} as $prefix/bin/meshctl,"
        say "its manual pages and completions in $prefix/share"
        exit
    fi
    install_files
}

# Braces: a cut inside this line is a syntax error, not a run without options.
{ main "$@"; exit; }
