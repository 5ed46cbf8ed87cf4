"""A Kitchen on Apache Thrift for Python."""

import argparse
import collections
import logging
import signal
import sys
import time

import dialects
from kitchen import Kitchen, Pantry, ttypes
from thrift import TMultiplexedProcessor
from thrift.server import TServer
from thrift.transport import TSocket


class Cook:
    def __init__(self, tag):
        self.tag = tag
        self.notes = collections.Counter()

    def bake(self, degrees):
        if degrees > 200:
            raise ttypes.Burnt("too hot", degrees)
        return f"baked at {degrees}"

    def fail(self, reason):
        raise RuntimeError(reason)

    def nothing(self):
        pass

    def note(self, key):
        self.notes[key] += 1

    def noted(self, key):
        return self.notes[key]

    def sleep(self, ms):
        time.sleep(ms / 1000)

    def whoami(self):
        return self.tag

    def header(self, name):
        protocol = getattr(dialects.HeaderFactory.here, "protocol", None)
        if protocol is None:
            return ""
        protocol.set_header(b"answered-by", self.tag.encode())
        return protocol.get_headers().get(name.encode(), b"").decode()

    def __getattr__(self, name):
        if name.startswith("echo"):
            return lambda value: value
        raise AttributeError(name)


class Shelves:
    def echoString(self, value):
        return f"pantry: {value}"

    def shelf(self, number):
        return f"shelf {number}"


def main():
    logging.basicConfig(level=logging.CRITICAL)
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--tag", default="python")
    dialects.add_arguments(words)
    given = words.parse_args()

    processor = Kitchen.Processor(Cook(given.tag))
    if given.multiplexed:
        kitchen, processor = processor, TMultiplexedProcessor.TMultiplexedProcessor()
        processor.registerProcessor("Kitchen", kitchen)
        processor.registerProcessor("Pantry", Pantry.Processor(Shelves()))
    listener = TSocket.TServerSocket("127.0.0.1", given.port)
    transports = dialects.transport_factory(given.transport)
    protocols = dialects.protocol_factory(given.transport, given.protocol)
    listener.listen()
    listener.listen = lambda: None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("listening on 127.0.0.1:%d" % listener.handle.getsockname()[1], flush=True)
    TServer.TThreadedServer(processor, listener, transports, protocols, daemon=True).serve()


if __name__ == "__main__":
    main()
