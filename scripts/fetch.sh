#!/bin/sh
# Puts the sources of one pinned Debian package into a folder: scripts/fetch.sh FOLDER NAME
# Downloaded once by apt into private lists, kept in a cache that outlives build/, and held against
# its sha256 at every use. Works without root, and without a network once it is cached.
set -eu

folder=$1
name=$2

# file | how apt names it | suite | sha256
case $name in
inih) set -- libinih_59.orig.tar.gz libinih=59-1 trixie 062279922805f5e9a369551a08d5ddb506140fe50774183ffdbb7c22bb97e3f4 ;;
libcap-ng) set -- libcap-ng_0.8.3.orig.tar.gz libcap-ng=0.8.3-1 bookworm bed6f6848e22bb2f83b5f764b2aef0ed393054e803a8e3a8711cb2a39e6b492d ;;
musl) set -- musl_1.2.3.orig.tar.gz musl=1.2.3-1 bookworm 7d5b0b6062521e4627e099e4c9dc8248d32a30285e959b7eecaa780cf8cfd4a4 ;;
*)
    echo "fetch.sh: unknown name $name" >&2
    exit 64
    ;;
esac
file=$1 package=$2 suite=$3 sum=$4

cache=${DOWNLOADS:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/freshinit/downloads}
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=$PWD/build/downloads
mkdir -p "$cache" "$folder"
cache=$(cd "$cache" && pwd)

has_right_sum() {
    echo "$sum  $1" | sha256sum --check --status 2>/dev/null
}

# The mirror and the suites' keys are this machine's own: nothing is named here.
download() {
    # shellcheck disable=SC2016 # apt fills it in
    mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
        'Origin: Debian' 'Created-By: Packages' 'Label: Debian' | sed -n 1p)}
    if [ -z "$mirror" ]; then
        echo "fetch.sh: apt knows no Debian mirror; set DEBIAN_MIRROR=URL" >&2
        return 1
    fi
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    cat >"$work/debian.sources" <<END
Types: deb-src
URIs: $mirror
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
    # The sandbox user could not write into a folder of ours.
    set -- -qq -o APT::Sandbox::User=root \
        -o Dir::Etc::SourceList="$work/debian.sources" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::State::Status=/dev/null -o Dir::Cache="$work/cache" \
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    if ! (apt-get "$@" update && cd "$work" &&
        apt-get "$@" source --download-only --tar-only "$package"); then
        echo "fetch.sh: cannot download $file; it is needed once, then kept in $cache" >&2
        return 1
    fi
    if ! has_right_sum "$work/$file"; then
        echo "fetch.sh: $file is not the pinned one: $(sha256sum <"$work/$file")" >&2
        return 1
    fi
    mv "$work/$file" "$cache/$file"
}

if ! has_right_sum "$cache/$file"; then
    rm -f "$cache/$file"
    (download)
fi
cp "$cache/$file" "$folder/$file.part"
has_right_sum "$folder/$file.part"
mv "$folder/$file.part" "$folder/$file"
