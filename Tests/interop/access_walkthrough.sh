#!/bin/bash
# Runs the commands of docs/access.md as they stand there, with real users, in file systems of its own:
#     access_walkthrough.sh KEYROLL DOCUMENT
# Needs root. What the reader has to bring (people, certificates, the policy's names) is made here.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "access_walkthrough.sh: needs root" >&2; exit 77; }
if [ -z "${KEYROLL_WALK:-}" ]; then
    # Its processes end with it, and it sees no other's: a broker of this machine's own stays as it is.
    exec env KEYROLL_WALK=1 unshare --mount --pid --fork --kill-child --mount-proc --propagation private "$0" "$(realpath "$1")" "$(realpath "$2")"
fi
keyroll=$1 document=$2
for name in olga otto ada sam lea erin mailsync; do id $name >/dev/null 2>&1 || useradd -M -s /bin/bash $name; done
id keyroll >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin keyroll
for group in mail-services engineers; do getent group $group >/dev/null || groupadd $group; done
usermod -aG mail-services mailsync
usermod -aG engineers erin

# Nothing of this machine's own is touched.
for folder in /run /var/lib /usr/local/bin /srv; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir -m 755 /run/keyroll && chown keyroll /run/keyroll
install -m 755 "$keyroll" /usr/local/bin/keyroll
# The users are known here without a terminal or a password.
cat >/usr/local/bin/sudo <<'S'
#!/bin/bash
user=root
[ "$1" != -u ] || { user=$2; shift 2; }
# Making the service's user and its folder is done already, or is root's.
case $1 in useradd) exit 0 ;; esac
exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"
S
chmod 755 /usr/local/bin/sudo
export PATH=/usr/local/bin:$PATH
unset KEYROLL_HOME KEYROLL_BROKER
mkdir -m 777 /srv/walk && cd /srv/walk
for name in olga sam; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$name -days 2 -keyout $name.key -out $name.pem 2>/dev/null
done
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=lea -days 2 -keyout lea.key -out lea.pem 2>/dev/null

python3 - "$document" >steps.sh <<'P'
import re, sys
text = open(sys.argv[1]).read()
policy = re.search(r"```yaml\n(.*?)```", text, re.S).group(1)
# The certificates that stand as three dots, in their order: olga's, sam's, lea's.
names = iter(["olga", "sam", "lea"])
lines = []
skip = False
for line in policy.splitlines():
    indent = len(line) - len(line.lstrip())
    if line.strip() in ("-----BEGIN CERTIFICATE-----",): continue
    if line.strip() in ("-----END CERTIFICATE-----",): continue
    if line.strip() == "…":
        lines.append("@@%s %d" % (next(names), indent))
    else:
        lines.append(line)
open("policy.in", "w").write("\n".join(lines) + "\n")
print("set -euo pipefail")
for index, block in enumerate(re.findall(r"```sh\n(.*?)```", text, re.S)):
    # Refused on purpose; the text says so.
    block = block.replace("sudo -u erin keyroll get mail/bob\n",
        "code=0; sudo -u erin keyroll get mail/bob || code=$?; [ $code = 77 ]\n")
    print(block)
    if "broker --home" in block:
        print("for i in $(seq 100); do [ ! -S /run/keyroll/broker.sock ] || break; sleep 0.1; done")
    if "policy template" in block:
        print("""identity=$(sed -n 's/^identity: "\\(.*\\)"/\\1/p' access.yaml)
while IFS= read -r line; do case $line in
    @@*) set -- ${line#@@}; sed "s/^/$(printf '%*s' "$2" '')/" "$1.pem" ;;
    identity:*) echo "identity: \\"$identity\\"" ;;
    *) printf '%s\\n' "$line" ;;
esac; done < policy.in > access.yaml
chmod 644 access.yaml""")
P
code=0
bash -x steps.sh || code=$?
exit $code
