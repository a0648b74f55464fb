"""Verifies a copy of an audit log with nothing but Python and openssl: verify_audit.py FOLDER SIGNER.pem"""
import base64, hashlib, json, os, subprocess, sys, tempfile

folder, signer = sys.argv[1:3]
number, previous, checkpoints, unsigned = 0, "0" * 64, 0, 0
for name in sorted(n for n in os.listdir(folder) if n.endswith(".jsonl")):
    if int(name[:20]) != number + 1:
        sys.exit(f"entry {number + 1} is missing")
    for line in open(os.path.join(folder, name), "rb"):
        if not line.endswith(b"\n"):
            print(f"torn after entry {number}")
            break
        entry = json.loads(line)
        if entry["number"] != number + 1 or entry["previous"] != previous:
            sys.exit(f"entry {number + 1} does not follow")
        unsigned += 1
        if entry["kind"] == "checkpoint" and entry["outcome"] == "done":
            with tempfile.NamedTemporaryFile() as message:
                message.write(base64.b64decode(entry["facts"]["signature"], validate=True))
                message.flush()
                content = subprocess.run(
                    ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", message.name, "-CAfile", signer,
                     "-purpose", "any", "-certfile", signer, "-nointern"], check=True, capture_output=True).stdout
            lines = content.decode().split("\n")
            if lines[0] != "keyroll audit checkpoint/1" or lines[3] != f"entry {number}" or lines[4] != f"hash {previous}":
                sys.exit(f"checkpoint {number + 1} signs something else")
            checkpoints, unsigned = checkpoints + 1, 0
        number, previous = number + 1, hashlib.sha256(line[:-1]).hexdigest()
print(json.dumps({"entries": number, "hash": previous, "checkpoints": checkpoints, "unsigned": unsigned}))
