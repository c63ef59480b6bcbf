#!/bin/sh
# make demo: on a fresh Debian 12 machine, installs what is missing, builds the static binary and
# shows it at work, in Docker where an engine answers, else in PID namespaces. See docker/demo.py.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo "demo: needs root, for namespaces and for what is to be installed" >&2
    exit 1
fi

# Installs what is missing of the named Debian packages.
install_packages()
{
    missing=
    for package in "$@"; do
        dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
            missing="$missing $package"
    done
    test -n "$missing" || return 0
    echo "demo: installing$missing"
    # shellcheck disable=SC2086
    { apt-get update && apt-get install --yes --no-install-recommends $missing; } >/dev/null
}

# Keeps a build's output back unless it fails.
build_image()
{
    docker build --quiet "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

scripts/deps.sh build
make static

if docker version >/dev/null 2>&1; then
    install_packages python3 python3-pip debootstrap busybox-static
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    docker/base.sh python
    build_image --file docker/Dockerfile.release --tag freshinit build/static
    build_image --build-arg BASE=freshinit-base:python --build-arg APP_RELEASE=one \
        --tag freshinit-example:flask-gunicorn examples/flask-gunicorn
    /usr/bin/python3 docker/demo.py docker
else
    install_packages python3 python3-flask python3-mako uvicorn gunicorn tini
    /usr/bin/python3 docker/demo.py namespace
fi
