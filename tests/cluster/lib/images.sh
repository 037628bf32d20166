# shellcheck shell=bash
# Images without a registry: one layer with one static program, as `docker save` would write it.

# image FILE PROGRAM NAME...
image() {
    local file=$1 program=$2 tree layer config
    shift 2
    tree=$(mktemp -d)
    mkdir "$tree/root" "$tree/image"
    cp "$program" "$tree/root/${program##*/}"
    tar --create --file "$tree/layer" --directory "$tree/root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner .
    layer=$(sha256sum <"$tree/layer" | cut -c 1-64)
    mv "$tree/layer" "$tree/image/$layer.tar"
    printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/%s"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$(go env GOARCH)" "${program##*/}" "$layer" >"$tree/config"
    config=$(sha256sum <"$tree/config" | cut -c 1-64)
    mv "$tree/config" "$tree/image/$config.json"
    printf '[{"Config":"%s.json","RepoTags":[%s],"Layers":["%s.tar"]}]' \
        "$config" "$(printf '"%s",' "$@" | sed 's/,$//')" "$layer" >"$tree/image/manifest.json"
    tar --create --file "$file" --directory "$tree/image" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner .
    rm -rf "$tree"
}

# import PROGRAM NAME...: makes the image and gives it to the cluster
import() {
    local file
    file=$(mktemp --suffix=.tar)
    image "$file" "$@"
    ctr images import "$file" >/dev/null
    rm -f "$file"
}
