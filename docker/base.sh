#!/bin/sh
# Makes the base images of the example, the demo and the tests, without an image registry.
# What was made once is kept in the cache folder and in the engine, and is used again.
#
#   docker/base.sh            all of them
#   docker/base.sh bookworm   freshinit-base:bookworm  Debian 12 and its gunicorn, uvicorn and Flask
#   docker/base.sh python     freshinit-base:python    the newest of them: pip works, without network
#   docker/base.sh busybox    freshinit-base:busybox   busybox and nothing else, as in Alpine
#
# Needs root, debootstrap, python3 with pip, busybox-static and a Docker engine.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/freshinit
debian_packages=python3,python3-venv,python3-flask,gunicorn,uvicorn
wheels='flask gunicorn uvicorn uvicorn-worker fastapi django mako'

work=
trap 'test -z "$work" || rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say()
{
    echo "base.sh: $*" >&2
}

# The engine's own build; its advice is kept back unless it fails.
build_image()
{
    docker build --quiet --tag "freshinit-base:$1" "$work" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; exit 1; }
}

has_image()
{
    docker image inspect "freshinit-base:$1" >/dev/null 2>&1
}

# A folder of our own in the cache, gone when we end.
open_work()
{
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/work.XXXXXX")
}

close_work()
{
    rm -rf "$work"
    work=
}

make_bookworm()
{
    if [ ! -e "$cache/bookworm.tar" ]; then
        say "fetching Debian 12 (once, about two minutes)"
        open_work
        debootstrap --variant=minbase --include="$debian_packages" bookworm "$work/root" \
            >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
        # What the engine walks through at each step of a build, and no container needs.
        (cd "$work/root" && rm -rf var/cache/apt/* var/lib/apt/lists/* usr/share/doc usr/share/man \
            usr/share/locale usr/share/info)
        tar -C "$work/root" --numeric-owner -cf "$work/tar" .
        mv "$work/tar" "$cache/bookworm.tar"
        close_work
    fi
    docker import --change 'CMD ["/bin/bash"]' "$cache/bookworm.tar" freshinit-base:bookworm >/dev/null
}

# A virtual environment first in PATH, and a folder of wheels from which pip takes everything: a
# Dockerfile that says `pip install -r requirements.txt` needs no network.
make_python()
{
    has_image bookworm || make_bookworm
    if [ ! -e "$cache/wheels" ]; then
        say "fetching the newest $wheels"
        open_work
        # shellcheck disable=SC2086
        python3 -m pip download --quiet --dest "$work/wheels" --only-binary=:all: \
            --python-version 3.11 --platform "manylinux2014_$(uname -m)" \
            --platform "manylinux_2_28_$(uname -m)" $wheels
        mv "$work/wheels" "$cache/wheels"
        close_work
    fi
    open_work
    cp -r "$cache/wheels" "$work/wheels"
    cat >"$work/Dockerfile" <<'END'
FROM freshinit-base:bookworm
COPY wheels /opt/wheels
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/wheels PIP_DISABLE_PIP_VERSION_CHECK=1
RUN pip install --quiet flask gunicorn uvicorn uvicorn-worker mako
END
    build_image python
    close_work
}

make_busybox()
{
    open_work
    cp /bin/busybox "$work/busybox"
    cat >"$work/Dockerfile" <<'END'
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "mkdir", "-p", "/tmp", "/etc", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin"]
RUN ["/bin/busybox", "--install", "-s"]
CMD ["/bin/sh"]
END
    build_image busybox
    close_work
}

docker version >/dev/null 2>&1 || { say "no Docker engine answers"; exit 1; }
[ $# -gt 0 ] || set -- bookworm python busybox
for name in "$@"; do
    case $name in
    bookworm | python | busybox) ;;
    *) say "no such image: $name (bookworm, python, busybox)"; exit 64 ;;
    esac
    has_image "$name" && continue
    "make_$name"
    say "made freshinit-base:$name"
done
