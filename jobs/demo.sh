#!/usr/bin/env bash
# The demo: real files of this machine into a scratch home, two rotations, and every file back byte for byte.
set -euo pipefail
keyroll=$(realpath "$1")
folder=$(mktemp -d "${TMPDIR:-/tmp}/keyroll-demo-XXXXXX")
trap 'rm -rf "$folder"' EXIT
export KEYROLL_HOME="$folder/home"
say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { say "$@"; "$@"; }
keyroll() { "$keyroll" "$@"; }

# Regular files only: a tree with links would be imported all the same, and name each link as left out.
mkdir "$folder/input"
(cd /usr/share/doc && find . -type f -size -1024k -printf "%P\0" | head -z -n 20000 | tar -cf - --null -T - | tar -xf - -C "$folder/input")
count=$(find "$folder/input" -type f | wc -l)
echo "input: $count files of /usr/share/doc, $(du -sh "$folder/input" | cut -f1)"

run keyroll init --group demo
run keyroll import "$folder/input"
# Enough to see a rotation at work: a million generated secrets beside the real ones.
say "a million generated 32-byte secrets | keyroll import - --format jsonl"
awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "{\"name\":\"generated/%07d\",\"secret\":\"%032d\"}\n", i, i * 7919 }' |
    keyroll import - --format jsonl
run keyroll status
run keyroll rotate --force
run keyroll rotate --force
run keyroll status
run keyroll verify

say "every file back, byte for byte, after two rotations"
python3 - "$keyroll" "$folder/input" <<'PYTHON'
import base64, json, pathlib, subprocess, sys
root = pathlib.Path(sys.argv[2])
lines = subprocess.Popen([sys.argv[1], "export", "--format", "jsonl"], stdout=subprocess.PIPE)
files = 0
for line in lines.stdout:
    secret = json.loads(line)
    if secret["name"].startswith("generated/"):
        continue
    content = secret["secret"].encode() if "secret" in secret else base64.b64decode(secret["secretBase64"])
    if (root / secret["name"]).read_bytes() != content:
        sys.exit("differs: " + secret["name"])
    files += 1
if lines.wait() != 0 or files != sum(1 for path in root.rglob("*") if path.is_file()):
    sys.exit("not all came back")
print(f"{files} files are the same")
PYTHON
