"""Makes inputs to begin with, from what keyroll itself writes.

usage: seeds.py KEYROLL CORPUS
"""

import base64
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

import cbor2

KEYROLL, CORPUS = sys.argv[1], pathlib.Path(sys.argv[2])
ROOT = pathlib.Path(__file__).resolve().parents[2]


def keep(target: str, content: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("seed-" + hashlib.sha1(content).hexdigest()[:12])).write_bytes(content)


def from_a_home(folder: str) -> None:
    home = os.path.join(folder, "home")
    environment = {"PATH": "/usr/bin:/bin", "KEYROLL_HOME": home, "HOME": folder}

    def run(*arguments: str, data: bytes = b"") -> bytes:
        done = subprocess.run([KEYROLL, *arguments], input=data, capture_output=True, env=environment, check=False)
        assert done.returncode in (0, 3, 75), f"{arguments}: {done.stderr.decode()}"
        return done.stdout

    run("init", "--recovery-key", os.path.join(folder, "recovery.pem"))
    run("put", "a", data=b"x")
    run("put", "b/ü", "--context", "row 7", data=b"y" * 100)
    run("rotate", "--force")
    run("audit", "checkpoint")
    for line in run("export", "--format", "cose").splitlines():
        message = base64.b64decode(json.loads(line)["message"])
        keep("cose", message)
        keep("cbor", cbor2.dumps(cbor2.loads(message).value[1:2]))
    store = sqlite3.connect(os.path.join(home, "secrets.sqlite"))
    for (body,) in store.execute("SELECT body FROM secret"):
        keep("cose", body)
    for (content,) in store.execute("SELECT content FROM journal"):
        keep("journal", content)
        keep("cbor", content)
    for (document,) in sqlite3.connect(os.path.join(home, "keys.sqlite")).execute("SELECT document FROM ring"):
        keep("cbor", document)
    for name in os.listdir(os.path.join(home, "bundles")):
        path = os.path.join(home, "bundles", name)
        bundle = pathlib.Path(path).read_bytes()
        keep("bundle", bundle)
        keep("tar", bundle)
        tar = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
        keep("tar", tar)
        members = os.path.join(folder, "members")
        os.makedirs(members, exist_ok=True)
        subprocess.run(["tar", "-xf", "-", "-C", members], input=tar, check=True)
        keep("manifest", pathlib.Path(members, "manifest.json").read_bytes())
        for member in ["generation.cms", "manifest.json.p7s"]:
            keep("cms", pathlib.Path(members, member).read_bytes())
    keep("cms", pathlib.Path(home, "identity", "signer.pem").read_bytes())
    for name in os.listdir(os.path.join(home, "audit")):
        if name.endswith(".jsonl"):
            lines = pathlib.Path(home, "audit", name).read_bytes().splitlines(keepends=True)
            keep("audit", b"".join(lines[:4]))
            keep("audit", b"".join(lines[-3:]))
    keep("evidence", b"".join(pathlib.Path(home, "evidence.jsonl").read_bytes().splitlines(keepends=True)[:3]))
    keep("configuration", pathlib.Path(home, "keyroll.yaml").read_bytes())
    keep("policy", run("access", "policy", "template"))


def by_hand() -> None:
    for path in (ROOT / "jobs").glob("*.yaml"):
        keep("configuration", path.read_bytes())
    keep("configuration", b"a: &a [*a, *a]\n")
    keep("policy", b"levels: &l [*l]\n")
    for text in [
        '{"name":"a","secret":"b","context":"c"}\n{"name":"d","secretBase64":"AAEC"}\n',
        '{"name":"\\ud83d\\udd11\\u0041","secret":"\\n\\t\\"\\\\"}', '{"secret":"x","more":[1,{"a":null}],"name":"y"}\r\n\r\n',
    ]:
        keep("jsonl", text.encode())
    for text in ["name,url,username,password\na,https://a.example,alice,\"p,\"\"w\"\r\n", "url,username,password\nx,y,z", "\ufeff\"url\",\"login_password\"\n\"a\nb\",c\n"]:
        keep("csv", text.encode())
    heads = [
        {"op": "unprotect", "name": "a"}, {"op": "protect", "name": "a", "context": "c", "replacing": True},
        {"op": "command", "arguments": ["status", "--json"], "columns": 80}, {"op": "listAccess"},
        {"op": "requestAccess", "operation": "read", "secrets": "a/*", "reason": "r", "seconds": 60},
        {"status": "ok"}, {"status": "failed", "code": 66, "message": "m"},
    ]
    for head in heads:
        keep("broker", cbor2.dumps(head, canonical=True))
        keep("cbor", cbor2.dumps(head, canonical=True))


with tempfile.TemporaryDirectory() as scratch:
    from_a_home(scratch)
by_hand()
print(sum(1 for _ in CORPUS.rglob("seed-*")), "seeds")
