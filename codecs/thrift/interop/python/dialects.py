"""Transports and protocols of Apache Thrift for Python by the names of the command line."""

import threading

from thrift.protocol import TBinaryProtocol, TCompactProtocol, THeaderProtocol
from thrift.transport import THeaderTransport, TTransport

TRANSPORTS = ["framed", "buffered", "header", "header-zlib"]
PROTOCOLS = ["binary", "oldbinary", "compact"]
SUBPROTOCOLS = {
    "binary": THeaderTransport.THeaderSubprotocolID.BINARY,
    "compact": THeaderTransport.THeaderSubprotocolID.COMPACT,
}


def add_arguments(words):
    words.add_argument("--transport", choices=TRANSPORTS, default="framed")
    words.add_argument("--protocol", choices=PROTOCOLS, default="binary")
    words.add_argument("--multiplexed", action="store_true")


def protocol_factory(transport, protocol):
    if transport.startswith("header"):
        if protocol not in SUBPROTOCOLS:
            raise SystemExit(f"skipped all: no {protocol} inside of THeader")
        return HeaderFactory(SUBPROTOCOLS[protocol], transport == "header-zlib")
    if protocol == "compact":
        return TCompactProtocol.TCompactProtocolFactory()
    old = protocol == "oldbinary"
    return TBinaryProtocol.TBinaryProtocolFactory(strictRead=not old, strictWrite=not old)


def transport_factory(transport):
    if transport == "framed":
        return TTransport.TFramedTransportFactory()
    if transport == "buffered":
        return TTransport.TBufferedTransportFactory()
    return TTransport.TTransportFactoryBase()


class HeaderFactory(THeaderProtocol.THeaderProtocolFactory):
    """Makes header protocols, and keeps the last one of each thread: a server's thread has one connection."""

    here = threading.local()

    def __init__(self, subprotocol, zlib):
        clients = (THeaderTransport.THeaderClientType.HEADERS,)
        super().__init__(clients, subprotocol)
        self.subprotocol = subprotocol
        self.zlib = zlib

    def getProtocol(self, trans):
        protocol = THeaderProtocol.THeaderProtocol(trans, (THeaderTransport.THeaderClientType.HEADERS,), self.subprotocol)
        if self.zlib:
            protocol.add_transform(THeaderTransport.THeaderTransformID.ZLIB)
        self.here.protocol = protocol
        return protocol
