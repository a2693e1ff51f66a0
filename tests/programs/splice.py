# SPDX-License-Identifier: BSD-2-Clause
# splice.py FILE - there by sendfile() and from the socket by splice() into a file, back by splice() from the file and into one again
import hashlib
import os
import socket
import sys
import threading

big = sys.argv[1]
size = os.path.getsize(big)


def splice_all(source, target):
    r, w = os.pipe()
    moved = 0
    while moved < size:
        n = os.splice(source, w, 65536)
        assert n, "the end came early"
        while n:
            out = os.splice(r, target, n)
            n -= out
            moved += out
    os.close(r)
    os.close(w)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def serve():
    s, _ = server.accept()
    with open("there", "wb+", buffering=0) as f:
        splice_all(s.fileno(), f.fileno())
        f.seek(0)
        splice_all(f.fileno(), s.fileno())
    s.shutdown(socket.SHUT_WR)


server = socket.create_server(("127.0.0.1", 8010))
thread = threading.Thread(target=serve)
thread.start()
c = socket.create_connection(("127.0.0.1", 8010))
with open(big, "rb") as f:
    sent = 0
    while sent < size:
        sent += os.sendfile(c.fileno(), f.fileno(), sent, size - sent)
with open("back", "wb", buffering=0) as f:
    splice_all(c.fileno(), f.fileno())
assert c.recv(1) == b""
thread.join()
assert digest("there") == digest("back") == digest(big)
print("same three times")
