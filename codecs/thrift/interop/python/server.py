"""A Kitchen on Apache Thrift for Python."""

import argparse
import logging
import signal
import sys

import cook
import dialects
from kitchen import Kitchen, Pantry, ttypes
from thrift import TMultiplexedProcessor
from thrift.server import TServer
from thrift.transport import TSocket


class HeaderCook(cook.Cook):
    def header(self, name):
        protocol = getattr(dialects.HeaderFactory.here, "protocol", None)
        if protocol is None:
            return ""
        protocol.set_header(b"answered-by", self.tag.encode())
        return protocol.get_headers().get(name.encode(), b"").decode()


def main():
    logging.basicConfig(level=logging.CRITICAL)
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--tag", default="python")
    dialects.add_arguments(words)
    given = words.parse_args()

    processor = Kitchen.Processor(HeaderCook(given.tag, ttypes.Burnt))
    if given.multiplexed:
        kitchen, processor = processor, TMultiplexedProcessor.TMultiplexedProcessor()
        processor.registerProcessor("Kitchen", kitchen)
        processor.registerProcessor("Pantry", Pantry.Processor(cook.Shelves()))
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
