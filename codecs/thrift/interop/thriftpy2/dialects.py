"""Transports and protocols of thriftpy2 by the names of the command line, and the services of the IDL."""

import os

import thriftpy2
from thriftpy2.protocol import TBinaryProtocolFactory, TCompactProtocolFactory
from thriftpy2.transport import TBufferedTransportFactory, TFramedTransportFactory

TRANSPORTS = {"framed": TFramedTransportFactory, "buffered": TBufferedTransportFactory}

kitchen = thriftpy2.load(os.environ["KITCHEN"], module_name="kitchen_thrift")


def add_arguments(words):
    words.add_argument("--transport", choices=TRANSPORTS, default="framed")
    words.add_argument("--protocol", choices=["binary", "oldbinary", "compact"], default="binary")
    words.add_argument("--multiplexed", action="store_true")


def transport_factory(name):
    return TRANSPORTS[name]()


def protocol_factory(name):
    if name == "compact":
        return TCompactProtocolFactory()
    return TBinaryProtocolFactory(strict_read=name == "binary", strict_write=name == "binary")
