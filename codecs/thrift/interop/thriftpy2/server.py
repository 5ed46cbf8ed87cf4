"""A Kitchen on thriftpy2."""

import argparse
import logging
import signal
import sys

import cook
import dialects
from thriftpy2.server import TThreadedServer
from thriftpy2.thrift import TMultiplexedProcessor, TProcessor
from thriftpy2.transport import TServerSocket


class Cook(cook.Cook):
    def header(self, name):
        return ""


def main():
    logging.basicConfig(level=logging.CRITICAL)
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--tag", default="thriftpy2")
    dialects.add_arguments(words)
    given = words.parse_args()

    processor = TProcessor(dialects.kitchen.Kitchen, Cook(given.tag, dialects.kitchen.Burnt))
    if given.multiplexed:
        alone, processor = processor, TMultiplexedProcessor()
        processor.register_processor("Kitchen", alone)
        processor.register_processor("Pantry", TProcessor(dialects.kitchen.Pantry, cook.Shelves()))
    listener = TServerSocket("127.0.0.1", given.port, client_timeout=60000)
    listener.listen()
    listener.listen = lambda: None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("listening on 127.0.0.1:%d" % listener.sock.getsockname()[1], flush=True)
    transports = dialects.transport_factory(given.transport)
    protocols = dialects.protocol_factory(given.protocol)
    TThreadedServer(processor, listener, itrans_factory=transports, iprot_factory=protocols, daemon=True).serve()


if __name__ == "__main__":
    main()
