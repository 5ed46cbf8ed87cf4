"""Starts and ends the proxy."""

import os
import pathlib
import re
import subprocess
import tempfile

import peers

ROOT = peers.HERE.parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
BINARY = (TARGET if TARGET.is_absolute() else pathlib.Path.cwd() / TARGET) / "debug" / "metaproto"

# Clients in Go send calls of one-way methods like any other.
LISTENER = "- {name: %s, address: '127.0.0.1:0', protocol: {name: thrift, options: {oneway: 'note,Kitchen:note'}}, routes: [%s]}"


def build():
    subprocess.run(["cargo", "build", "--quiet", "--package", "metaproto-proxy", "--bin", "metaproto"], cwd=ROOT, check=True)


def cluster(name, *addresses, **keys):
    """A cluster of the proxy's file. Keys are written as they are given."""
    written = "".join(f", {key}: {value}" for key, value in keys.items())
    return f"  {name}: {{endpoints: {list(addresses)}{written}}}"


class Proxy:
    """The proxy with these listeners, by name with their routes, and clusters."""

    def __init__(self, listeners, clusters):
        lines = ["workers: 1", "listeners:"]
        lines += [LISTENER % (name, routes) for name, routes in listeners.items()]
        lines += ["clusters:", *clusters]
        self.file = tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8")
        self.file.write("\n".join(lines) + "\n")
        self.file.flush()
        command = [BINARY, "proxy", "--config", self.file.name]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addresses = {}
        for name in listeners:
            self.addresses[name] = self.next_address()

    def next_address(self):
        for line in self.process.stderr:
            found = re.search(r"listening on (127\.0\.0\.1:\d+) \(thrift\)", line)
            if found:
                return found.group(1)
            if "error" in line.lower() or "metaproto:" in line:
                raise RuntimeError(line.strip())
        raise RuntimeError("the proxy has ended")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait(15)
        self.process.stderr.close()
        self.file.close()
        if code != 0:
            raise RuntimeError(f"the proxy ended with {code}")


def simple(address, **keys):
    """One listener, `l`, before one cluster."""
    return Proxy({"l": "{cluster: c}"}, [cluster("c", address, **keys)])
