#!/usr/bin/env python3
"""Relays connections, and writes what passes as text: the captures in ../tests/golden are made with it.

    record.py --to 127.0.0.1:9090 --file strings.hex --head case=strings --head "client=..."

It prints `listening on ADDRESS` and ends on SIGTERM. Each connection makes one file (the second `strings-2.hex`, and so
on) of lines `# key: value`, and then `> hex` (to the server) or `< hex` (from it), a new line at each change of
direction. Of a line with more than --limit bytes the rest is left out, and a line `# cut` tells of it.
"""

import argparse
import pathlib
import socket
import threading


class Recording:
    """One connection's file; both directions write to it."""

    def __init__(self, path, head, limit):
        self.file = path.open("w", encoding="utf-8")
        self.lock = threading.Lock()
        self.limit = limit
        self.mark, self.data = None, bytearray()
        for line in head:
            key, value = line.split("=", 1)
            self.file.write(f"# {key}: {value}\n")

    def add(self, mark, data):
        with self.lock:
            if mark != self.mark:
                self.write()
                self.mark = mark
            self.data += data

    def write(self):
        """Writes what has been gathered of one direction."""
        if self.data:
            self.file.write(f"{self.mark} {self.data[:self.limit].hex()}\n")
            if len(self.data) > self.limit:
                self.file.write(f"# cut: {self.mark} {len(self.data) - self.limit} of {len(self.data)} bytes\n")
            self.file.flush()
        self.data = bytearray()

    def close(self):
        with self.lock:
            self.write()


def relay(source, sink, recording, mark):
    """Passes bytes on until there are no more; an end of one direction is passed on, too."""
    try:
        while data := source.recv(65536):
            recording.add(mark, data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    recording.close()


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--listen", default="127.0.0.1:0", type=address)
    words.add_argument("--to", required=True, type=address)
    words.add_argument("--file", required=True, type=pathlib.Path)
    words.add_argument("--head", action="append", default=[], help="key=value, for the head of the file")
    words.add_argument("--limit", default=3000, type=int, help="bytes of a line")
    given = words.parse_args()
    listener = socket.create_server(given.listen)
    print("listening on %s:%d" % listener.getsockname(), flush=True)
    number = 0
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(given.to)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number += 1
        path = given.file if number == 1 else given.file.with_stem(f"{given.file.stem}-{number}")
        recording = Recording(path, given.head, given.limit)
        for source, sink, mark in ((client, server, ">"), (server, client, "<")):
            threading.Thread(target=relay, args=(source, sink, recording, mark), daemon=True).start()


if __name__ == "__main__":
    main()
