#!/usr/bin/env python3
"""Relays Dubbo connections, and writes what passes as text: the captures in ../tests/golden are made with it.

    record.py --to 127.0.0.1:20880 --file pojo.hex --head case=pojo --head "client=dubbo-java 3.3.6"

It prints `listening on ADDRESS` and ends on SIGTERM. Each connection makes one file (the second `pojo-2.hex`, and so on)
of lines `# key: value`, and then for each frame, in the order seen, `> hex` (to the server) or `< hex` (from it). What
is too large is left out, and a line `# left out` tells where.
"""

import argparse
import pathlib
import socket
import threading

HEADER = 16


def frames(buffer):
    """Takes whole frames off the front of `buffer`."""
    while len(buffer) >= HEADER:
        if buffer[:2] != b"\xda\xbb":
            raise ValueError(f"not Dubbo: {buffer[:HEADER].hex()}")
        size = HEADER + int.from_bytes(buffer[12:16], "big")
        if len(buffer) < size:
            return
        yield bytes(buffer[:size])
        del buffer[:size]


class Recording:
    """One connection's file; both directions write to it."""

    def __init__(self, path, head, limit, most):
        self.file = path.open("w", encoding="utf-8")
        self.lock = threading.Lock()
        self.limit = limit
        self.room = most
        for line in head:
            key, value = line.split("=", 1)
            self.file.write(f"# {key}: {value}\n")

    def add(self, mark, frame):
        """Writes a frame, or that it is left out."""
        body = len(frame) - HEADER
        with self.lock:
            if body > self.limit or self.room < 2 * len(frame):
                self.file.write(f"# left out: {mark} {frame[:HEADER].hex()} and {body} bytes\n")
            else:
                self.room -= 2 * len(frame)
                self.file.write(f"{mark} {frame.hex()}\n")
            self.file.flush()


def relay(source, sink, recording, mark):
    """Passes bytes on until there are no more, and records the frames before they are passed on."""
    buffer = bytearray()
    try:
        while data := source.recv(65536):
            buffer += data
            for frame in frames(buffer):
                recording.add(mark, frame)
            sink.sendall(data)
    except OSError:
        pass
    for each in (source, sink):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--listen", default="127.0.0.1:0", type=address)
    words.add_argument("--to", required=True, type=address)
    words.add_argument("--file", required=True, type=pathlib.Path)
    words.add_argument("--head", action="append", default=[], help="key=value, for the head of the file")
    words.add_argument("--limit", default=3000, type=int, help="larger bodies are left out")
    words.add_argument("--most", default=1 << 30, type=int, help="hex digits of a file, after which frames are left out")
    given = words.parse_args()
    listener = socket.create_server(given.listen)
    print("listening on %s:%d" % listener.getsockname(), flush=True)
    number = 0
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(given.to)
        number += 1
        path = given.file if number == 1 else given.file.with_stem(f"{given.file.stem}-{number}")
        recording = Recording(path, given.head, given.limit, given.most)
        for source, sink, mark in ((client, server, ">"), (server, client, "<")):
            threading.Thread(target=relay, args=(source, sink, recording, mark), daemon=True).start()


if __name__ == "__main__":
    main()
