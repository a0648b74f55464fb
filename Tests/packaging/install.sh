#!/usr/bin/env bash
# make install and make uninstall, into a folder.
#
# usage: install.sh
. "$(dirname "$0")/lib.sh"
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
make --no-print-directory install DESTDIR="$target" PREFIX=/opt/keyroll >/dev/null
root=$target/opt/keyroll
for file in bin/keyroll share/man/man1/keyroll-rotate.1 share/bash-completion/completions/keyroll \
    share/zsh/site-functions/_keyroll share/fish/vendor_completions.d/keyroll.fish lib/systemd/system/keyroll-rotate.timer \
    share/doc/keyroll/LICENSE share/doc/keyroll/docs/operations.md share/doc/keyroll/jobs/rotate.yaml; do
    is "$file is there" test -s "$root/$file"
done
is "the units start what was installed" grep -q '^ExecStart=/opt/keyroll/bin/keyroll run' "$root/lib/systemd/system/keyroll-rotate.service"
same "files that others can write" "$(find "$target" -type f -perm /022)" ""
is "it runs" grep -q "^keyroll " <<<"$("$root/bin/keyroll" --version)"
same "the Swift runtime is inside" "$(ldd "$root/bin/keyroll" | grep -i swift || true)" ""
# 18 MB; with all of Foundation, which one import too many brings, 62.
is "the binary is small" test "$(stat -c %s "$root/bin/keyroll")" -lt 25000000
make --no-print-directory uninstall DESTDIR="$target" PREFIX=/opt/keyroll
same "what uninstall leaves" "$(find "$target" -type f)" ""
finish
