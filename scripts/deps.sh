#!/bin/sh
# Installs what is missing, and nothing else: scripts/deps.sh [build] [test]
# `build` is what make, make static and make install need; `test` is what only tests need. As root by
# apt, else it prints the one command. With everything there it only asks dpkg once.
set -eu

build='gcc libc6-dev make pkg-config libinih-dev libcap-ng-dev linux-libc-dev scdoc
    ca-certificates debian-archive-keyring'
test='git file libcmocka-dev musl-tools clang clang-format clang-tidy cppcheck shellcheck
    libclang-rt-14-dev gcovr gcc-aarch64-linux-gnu linux-libc-dev-arm64-cross
    python3 python3-pytest python3-venv python3-pip procps psmisc strace libcap2-bin util-linux
    tini dumb-init catatonit busybox-static debootstrap qemu-user-static
    gunicorn python3-flask uvicorn python3-mako memcached redis-server postgresql'

[ $# -gt 0 ] || set -- build test
wanted=
for group in "$@"; do
    case $group in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    *)
        echo "deps.sh: unknown group $group" >&2
        exit 64
        ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    echo "deps.sh: this is no Debian; the packages there are named: $wanted" >&2
    exit 1
fi

# shellcheck disable=SC2086 # lists of words
there=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
    sed -n 's/^installed //p' | sort -u)
missing=
for package in $wanted; do
    case "
$there
" in
    *"
$package
"*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "Missing. As root: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086 # a list of words
    apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends $missing >/dev/null
}
# The lists may be old or missing on a fresh machine: then once more with new ones.
install 2>/dev/null || { apt-get -qq update && install; }
