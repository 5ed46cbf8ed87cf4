"""Calls a Kitchen with thriftpy2."""

import cases
import dialects
from thriftpy2.protocol import TMultiplexedProtocol
from thriftpy2.thrift import TApplicationException, TClient
from thriftpy2.transport import TSocket


class Connection:
    """A connection with the stubs of both services on it."""

    types = dialects.kitchen
    application_exception = TApplicationException

    def __init__(self, given):
        self.given = given
        host, port = given.address.rsplit(":", 1)
        self.socket = TSocket(host, int(port), socket_timeout=20000)
        self.transport = dialects.transport_factory(given.transport).get_transport(self.socket)
        self.protocol = dialects.protocol_factory(given.protocol).get_protocol(self.transport)
        self.kitchen = TClient(dialects.kitchen.KitchenOfTomorrow, self.protocol, self.named("Kitchen"))
        self.pantry = TClient(dialects.kitchen.Pantry, self.protocol, self.named("Pantry"))

    def named(self, service):
        return TMultiplexedProtocol(self.protocol, service) if self.given.multiplexed else self.protocol

    def __enter__(self):
        self.transport.open()
        return self

    def __exit__(self, *_):
        self.transport.close()

    def send(self, number, text):
        self.kitchen._seqid = number
        self.kitchen._send("echoString", value=text)

    def receive(self):
        return self.kitchen._recv("echoString")


if __name__ == "__main__":
    cases.run(Connection, dialects.add_arguments)
