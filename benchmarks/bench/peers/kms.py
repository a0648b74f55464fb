"""A KMS on loopback: moto's server with boto3, and a simulator of our own that does as little as it can. Both are
simulators; the real thing is a network away."""

import base64
import contextlib
import http.client
import http.server
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time

HOST = "127.0.0.1"


@contextlib.contextmanager
def moto():
    """moto's server in a process of its own; gives its port."""
    port = free_port()
    server = subprocess.Popen(
        [os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", HOST, "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(port)
        yield port
    finally:
        server.kill()
        server.wait()


def through_boto(port):
    import boto3

    client = boto3.client(
        "kms", endpoint_url=f"http://{HOST}:{port}", region_name="eu-central-1", aws_access_key_id="none",
        aws_secret_access_key="none")
    old, new = (client.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    return (
        lambda count, size: [client.encrypt(KeyId=old, Plaintext=os.urandom(size))["CiphertextBlob"] for _ in range(count)],
        lambda blobs: [client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=new)["CiphertextBlob"] for blob in blobs])


@contextlib.contextmanager
def bare():
    """The simulator in a process of its own; gives its port."""
    port = free_port()
    server = multiprocessing.get_context("fork").Process(target=serve, args=(port,), daemon=True)
    server.start()
    try:
        wait(port)
        yield port
    finally:
        server.kill()
        server.join()


def serve(port: int) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    keys = {"old": AESGCM(os.urandom(32)), "new": AESGCM(os.urandom(32))}

    def sealed(key, plaintext):
        nonce = os.urandom(12)
        return nonce + keys[key].encrypt(nonce, plaintext, None)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else each answer waits for the acknowledgement of its headers.
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            blob = base64.b64decode(asked["blob"])
            if self.path == "/encrypt":
                answer = sealed("old", blob)
            else:
                answer = sealed("new", keys["old"].decrypt(blob[:12], blob[12:], None))
            body = json.dumps({"blob": base64.b64encode(answer).decode()}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer((HOST, port), Handler).serve_forever()


def through_http(port):
    connection = http.client.HTTPConnection(HOST, port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(path, blob):
        connection.request("POST", path, json.dumps({"blob": base64.b64encode(blob).decode()}))
        return base64.b64decode(json.loads(connection.getresponse().read())["blob"])

    return (lambda count, size: [ask("/encrypt", os.urandom(size)) for _ in range(count)],
            lambda blobs: [ask("/reencrypt", blob) for blob in blobs])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def wait(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the simulator does not answer")
