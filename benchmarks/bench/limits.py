"""The bare limits of the machine in the same run: the same writes with no crypto, OpenSSL alone, memory copied."""

import json
import os
import re
import subprocess

from home import Failure

from .summary import quotients

RULES = {
    # name: (arguments of openssl speed, bytes a block)
    "AES-256-GCM encrypt, 256 B": ("-evp aes-256-gcm", 256),
    "AES-256-GCM decrypt, 256 B": ("-decrypt -evp aes-256-gcm", 256),
    "AES-256-GCM encrypt, 64 KiB": ("-evp aes-256-gcm", 64 << 10),
    "AES-256-GCM decrypt, 64 KiB": ("-decrypt -evp aes-256-gcm", 64 << 10),
    "AES-256-ECB, 2 KiB (128 lanes)": ("-evp aes-256-ecb", 2048),
    "SHA-256, 8 KiB": ("-evp sha256", 8192),
}


# What RotationBenchmark calls its measures.
TITLES = {
    "evpWrap": "key wrap, EVP AES-256-WRAP", "lanes": "key wrap, batches (KeyWrapLanes)",
    "singleWrap": "key wrap, keyroll's single form", "blocks": "key wrap, AES-256-ECB alone",
    "rotate": "rotate, end to end, in the process", "rewrap": "the rewrap of it",
    "pagesByStatement": "bare pages, UPDATE", "pagesByBlob": "bare pages, blob I/O",
    "rowsByStatement": "bare rows, UPDATE", "rowsByBlob": "bare rows, blob I/O",
    "pages": "bare pages, UPDATE … FROM unnest", "pagesNested": "bare pages, each through the index",
    "pagesDurable": "bare pages, synchronous_commit=on", "rows": "bare rows", "rowsNested": "bare rows, each through the index",
}


def run(context) -> None:
    sizes, document = context.sizes, context.document
    context.say("limits: openssl speed")
    speeds = [{"what": name, "MiBs": openssl(words, block, sizes.openssl_seconds) / (1 << 20)}
              for name, (words, block) in RULES.items()]
    speeds.append({"what": "memory copy", "MiBs": memory_copy(context)})
    context.say("limits: the same writes with no crypto, SQLite")
    sqlite = rotation_benchmark(context, [])
    context.say("limits: the same writes with no crypto, PostgreSQL")
    context.server.sql("postgres", "CREATE DATABASE bare")
    served = rotation_benchmark(
        context, ["--postgres", f"postgresql:///bare?host={context.server.folder}&user=postgres"])
    context.server.sql("postgres", "DROP DATABASE bare")
    document.parts["limits"] = {
        "openssl": speeds, "secrets": sizes.main,
        "sqlite": rows(sqlite), "postgres": rows(served),
        "busy": {name: stage["median"] for name, stage in sqlite["stages"].items()}}
    for bar in sqlite["bars"]:
        document.ratio("limits", f"SQLite: {bar['name']}", bar["ratio"]["values"])
    for bar in served["bars"]:
        document.ratio("limits", f"PostgreSQL: {bar['name']}", bar["ratio"]["values"])
    measures = sqlite["measures"]
    document.ratio("limits", "key wrap, batches / AES-256-ECB alone",
                   quotients(measures["lanes"]["samples"]["values"], measures["blocks"]["samples"]["values"]))
    if sizes.name == "full":
        for kind, found in (("SQLite", sqlite), ("PostgreSQL", served)):
            for bar in found["bars"]:
                document.bar(f"{kind}: {bar['name']}", bar["ratio"]["median"], bar["bar"], bar["ratio"]["values"])


def openssl(words: str, block: int, seconds: int) -> float:
    """Bytes a second on one core."""
    done = subprocess.run(
        ["openssl", "speed", "-elapsed", "-seconds", str(seconds), "-bytes", str(block), *words.split()],
        capture_output=True, text=True, check=False)
    found = re.findall(r"([0-9.]+)k\s*$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not found:
        raise Failure(f"openssl speed {words}: {done.stderr.strip()}")
    return float(found[-1]) * 1000


def memory_copy(context) -> float:
    """MiB a second, as StageBenchmark found it in its part of this run; else 0."""
    for row in context.document.parts.get("stages", {}).get("rows", []):
        if row["stage"] == "memory copy":
            return row["perSecond"] / (1 << 20)
    return 0.0


def rotation_benchmark(context, more: list) -> dict:
    path = os.path.join(context.scratch, "limits.json")
    done = subprocess.run(
        [context.binary("RotationBenchmark"), "--secrets", str(context.sizes.main), "--runs",
         str(context.sizes.bare_rounds), "--json", path, "--folder", context.folder(), *more],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Failure(f"RotationBenchmark: {done.stderr.decode(errors='replace').strip()}")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def rows(found: dict) -> list:
    return [{"what": TITLES[name], "unit": measure["unit"], **{key: measure["samples"][key] for key in
             ("median", "minimum", "maximum")}} for name, measure in sorted(found["measures"].items())]


def bare_contents(context, store: str, count: int) -> float:
    """Secrets a second of the loop that overwrites every content with no crypto (RotationBenchmark --bare-contents)."""
    os.sync()
    output = subprocess.run(
        [context.binary("RotationBenchmark"), "--bare-contents", store], check=True, capture_output=True).stdout
    found = json.loads(output)
    if found["contents"] != count:
        raise Failure(f"the bare loop met {found['contents']} contents of {count}")
    return count / found["seconds"]

