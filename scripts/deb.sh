#!/bin/sh
# A Debian package of the static binary and its manual: scripts/deb.sh VERSION ARCH FOLDER BINARY PAGE...
# Not lintian's taste: one file that needs nothing, for hosts and for base images.
set -eu
version=$1 arch=$2 folder=$3 binary=$4
shift 4

root=$folder/root
rm -rf "$root"
install -D -m 755 "$binary" "$root/usr/bin/freshinit"
for page in "$@"; do
    target=$root/usr/share/man/man${page##*.}/$(basename "$page").gz
    mkdir -p "$(dirname "$target")"
    gzip -9nc "$page" >"$target"
    chmod 644 "$target"
done
mkdir -p "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: freshinit
Version: $version
Architecture: $arch
Maintainer: freshinit <freshinit@localhost>
Section: admin
Priority: optional
Description: PID 1 for containers that run Python web servers
 Clears stale caches, waits for services, drops privileges, starts the server,
 forwards signals, and leaves no process behind. One static file.
END
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
dpkg-deb --root-owner-group --build "$root" "$folder/freshinit_${version}_$arch.deb"
