#!/usr/bin/env bash
# Installs the Debian package for real, works with it as the user keyroll, upgrades, removes and purges it.
#
# All of it in a throw-away copy of this machine: its file system below, and a memory file system over it that takes every
# change and goes with the test. That takes root.
#
# usage: deb.sh PACKAGE.deb
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" != 0 ]; then
    say "SKIPPED: it has to be run as root"
    exit 0
fi
# The name is what the second half is called by, inside.
if [ "${1:-}" != inside ]; then
    exec unshare --mount --pid --fork --mount-proc --propagation private "$0" inside "$(realpath "$1")" "$(realpath "$0")"
fi
if [ -z "${KEYROLL_DEB_TEST:-}" ]; then
    package=$2 script=$3
    layer=$(mktemp -d)
    mount -t tmpfs -o mode=755 keyroll-test "$layer"
    mkdir "$layer"/{changes,work,root,media}
    mount -t overlay -o "lowerdir=/,upperdir=$layer/changes,workdir=$layer/work" keyroll-test "$layer/root"
    mount --rbind /dev "$layer/root/dev"
    mount -t proc proc "$layer/root/proc"
    mount -t tmpfs run "$layer/root/run"
    mount -t tmpfs -o mode=1777 tmp "$layer/root/tmp"
    cp "$package" "$layer/root/tmp/keyroll.deb"
    cp "$script" "$(dirname "$script")/lib.sh" "$layer/root/tmp/"
    code=0
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 KEYROLL_DEB_TEST=yes \
        chroot "$layer/root" /tmp/deb.sh inside || code=$?
    # The folder itself is on the machine's own disk; what was mounted goes with the name space.
    umount -R -l "$layer" && rmdir "$layer"
    exit $code
fi

package=/tmp/keyroll.deb
cd /
# Images for containers leave man pages and documentation out.
rm -f /etc/dpkg/dpkg.cfg.d/*
dpkg --purge keyroll >/dev/null 2>&1 || true
rm -rf /var/lib/keyroll
install_it() { DEBIAN_FRONTEND=noninteractive dpkg --force-confold -i "$package" >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; exit 1; }; }
as() { runuser -u "$1" -- "${@:2}"; }
quiet() { "$@" >/tmp/out 2>&1 || { cat /tmp/out; return 1; }; }
state() { dpkg-query -W -f '${db:Status-Status}' keyroll 2>/dev/null || echo gone; }

install_it
same "state after dpkg -i" "$(state)" installed
same "where it is" "$(command -v keyroll)" /usr/bin/keyroll
is "it says its version" grep -Eq '^keyroll [0-9]+\.[0-9]+\.[0-9]+( \(.+\))?$' <<<"$(keyroll --version)"
same "the package has the same version" "$(keyroll --version | cut -d' ' -f2)" "$(dpkg-query -W -f '${Version}' keyroll)"
same "libraries that are not found, or Swift's" "$(ldd /usr/bin/keyroll | grep -iE 'not found|swift|foundation')" ""
same "owner and mode of the home" "$(stat -c '%U:%G %a' /var/lib/keyroll)" "keyroll:keyroll 700"
same "the user's shell" "$(getent passwd keyroll | cut -d: -f7)" /usr/sbin/nologin
same "files of others" "$(dpkg -L keyroll | xargs -d '\n' stat -c '%U:%G %n' | grep -v '^root:root ')" ""
same "files that others can write" "$(dpkg -L keyroll | xargs -d '\n' -I{} find {} -maxdepth 0 ! -type l -perm /022 2>/dev/null)" ""
same "set-id files" "$(dpkg -L keyroll | xargs -d '\n' -I{} find {} -maxdepth 0 -perm /6000)" ""
is "dpkg finds what it installed" dpkg --verify keyroll
same "configuration" "$(dpkg-query -W -f '${Conffiles}\n' keyroll | awk 'NF { print $1 }' | tr '\n' ' ')" "/etc/keyroll/rotate.yaml /etc/keyroll/verify.yaml "
same "units that are enabled" "$(find /etc/systemd/system -name '*keyroll*')" ""
is "its man page" grep -q '^NAME' <<<"$(MANPAGER=cat man keyroll 2>/dev/null | col -b)"
is "a command's man page" test -s "$(man -w keyroll-rotate)"
for file in /usr/share/bash-completion/completions/keyroll /usr/share/zsh/vendor-completions/_keyroll \
    /usr/share/fish/vendor_completions.d/keyroll.fish /usr/share/doc/keyroll/copyright; do
    is "$file is there" test -s "$file"
done
if command -v systemd-analyze >/dev/null; then
    units=(/lib/systemd/system/keyroll-{rotate.service,rotate.timer,broker.service,broker.socket})
    same "systemd's opinion of the units" "$(systemd-analyze verify "${units[@]}" 2>&1 | grep keyroll)" ""
else
    say "SKIPPED: there is no systemd-analyze on this machine"
fi

# The home of the system, as the user keyroll: no option, no environment.
is "init" quiet as keyroll keyroll init --group mail
same "what init leaves in the home's folder" "$(find /var/lib/keyroll -name '*.new-*')" ""
printf 'correct horse' | as keyroll keyroll put mail/alice
same "get" "$(as keyroll keyroll get mail/alice)" "correct horse"
is "rotate" quiet as keyroll keyroll rotate --force
is "the nightly job, as the unit runs it" quiet as keyroll keyroll run /etc/keyroll/rotate.yaml
is "verify" quiet as keyroll keyroll run /etc/keyroll/verify.yaml
same "status" "$(as keyroll keyroll status --json | tr -d ' ' | grep -o '"secrets":1' | head -n 1)" '"secrets":1'
same "files of the home that others reach" "$(find /var/lib/keyroll -perm /077)" ""
code=0
as nobody keyroll get mail/alice --home /var/lib/keyroll >/dev/null 2>/tmp/refused || code=$?
is "another user is refused" test "$code" != 0

# An upgrade: what an administrator changed stays, and so does the home.
echo '# changed here' >>/etc/keyroll/rotate.yaml
install_it
is "changed configuration stays" grep -q 'changed here' /etc/keyroll/rotate.yaml
same "get after an upgrade" "$(as keyroll keyroll get mail/alice)" "correct horse"

dpkg --remove keyroll >/tmp/dpkg.log 2>&1
same "state after removal" "$(state)" config-files
same "the command after removal" "$(command -v keyroll)" ""
is "the home after removal" test -s /var/lib/keyroll/keys.sqlite
is "the configuration after removal" test -s /etc/keyroll/rotate.yaml
dpkg --purge keyroll >/tmp/dpkg.log 2>&1
same "state after purge" "$(state)" gone
is "purge says what it leaves" grep -q '^keyroll: /var/lib/keyroll holds keys and secrets, and stays' /tmp/dpkg.log
is "the home after purge" test -s /var/lib/keyroll/keys.sqlite
same "owner of the home after purge" "$(stat -c '%U:%G %a' /var/lib/keyroll)" "keyroll:keyroll 700"
same "configuration after purge" "$(find /etc/keyroll 2>/dev/null)" ""

# It finds its home again; and an empty one goes with the package, the user too.
install_it
same "get after all that" "$(as keyroll keyroll get mail/alice)" "correct horse"
# The worst day: a fresh installation, and a backup.
install -d -o keyroll -g keyroll -m 700 /tmp/backups
is "backup" quiet as keyroll keyroll backup /tmp/backups/one --with-root
find /var/lib/keyroll -mindepth 1 -delete
is "restore" quiet as keyroll keyroll restore /tmp/backups/one
same "get after restoring" "$(as keyroll keyroll get mail/alice)" "correct horse"
same "what restoring leaves in the home's folder" "$(find /var/lib/keyroll -name '*.new-*')" ""
find /var/lib/keyroll -mindepth 1 -delete
ln -s /lib/systemd/system/keyroll-rotate.timer /etc/systemd/system/timers.target.wants/
dpkg --purge keyroll >/tmp/dpkg.log 2>&1
same "what is left of it" "$(find /etc /usr /var /opt /run -newer "$package" -name '*keyroll*' ! -path '/var/lib/dpkg/*')" ""
same "the user after an empty home" "$(getent passwd keyroll)" ""
finish
