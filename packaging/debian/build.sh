#!/usr/bin/env bash
# Makes the Debian package from the binary, man pages and completions that are there.
#
# usage: build.sh RELEASE-FOLDER VERSION
set -euo pipefail
release=$1 version=$2
here=$(cd "$(dirname "$0")" && pwd)
architecture=$(dpkg --print-architecture)
root=$release/deb
rm -rf "$root"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/DEBIAN"
chmod 755 "$root" "$root/DEBIAN"

# Debian's places, where they differ from those of a plain install.
make --no-print-directory install DESTDIR="$root" PREFIX=/usr \
    UNITDIR=/lib/systemd/system ZSHDIR=/usr/share/zsh/vendor-completions >/dev/null
doc=$root/usr/share/doc/keyroll
# Debian has the licence's text once for all packages.
rm "$doc/LICENSE"
install -m 644 "$here/copyright" "$doc/copyright"
# It is sourced, and no program.
sed -i '1{/^#!/d}' "$root/usr/share/bash-completion/completions/keyroll"
# One entry: what changed is in CHANGELOG.md.
printf 'keyroll (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- The keyroll authors <%s>  %s\n' \
    "$version" keyroll@users.noreply.github.com "$(date -R -u -r CHANGELOG.md)" | gzip -9n >"$doc/changelog.gz"
chmod 644 "$doc/changelog.gz"
gzip -9n "$root"/usr/share/man/man1/*.1
install -D -m 644 jobs/rotate.yaml "$root/etc/keyroll/rotate.yaml"
install -D -m 644 jobs/verify.yaml "$root/etc/keyroll/verify.yaml"
install -D -m 644 "$here/lintian-overrides" "$root/usr/share/lintian/overrides/keyroll"
install -D -m 644 "$here/keyroll.tmpfiles" "$root/usr/lib/tmpfiles.d/keyroll.conf"
install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$root/DEBIAN/"
(cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"
(cd "$root" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

# dpkg-shlibdeps wants a source package's control file, and nothing else of it.
mkdir -p "$root.source/debian"
trap 'rm -rf "$root" "$root.source"' EXIT
printf 'Source: keyroll\n\nPackage: keyroll\nArchitecture: any\n' >"$root.source/debian/control"
binary=$(realpath "$root/usr/bin/keyroll")
libraries=$(cd "$root.source" && dpkg-shlibdeps -O "$binary" | sed -n 's/^shlibs:Depends=//p')
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@LIBRARIES@/$libraries/" \
    -e "s/@SIZE@/$(du -k -s --exclude=DEBIAN "$root" | cut -f1)/" "$here/control" >"$root/DEBIAN/control"

package=$release/keyroll_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
echo "$package"
