"""Calls a Kitchen with Apache Thrift for Python."""

import cases
import dialects
from kitchen import KitchenOfTomorrow, Pantry, ttypes
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException
from thrift.transport import TSocket


class Connection:
    """A connection with the stubs of both services on it."""

    types = ttypes
    application_exception = TApplicationException

    def __init__(self, given):
        self.given = given
        host, port = given.address.rsplit(":", 1)
        self.socket = TSocket.TSocket(host, int(port))
        self.socket.setTimeout(20000)
        self.transport = dialects.transport_factory(given.transport).getTransport(self.socket)
        self.protocol = dialects.protocol_factory(given.transport, given.protocol).getProtocol(self.transport)
        self.kitchen = KitchenOfTomorrow.Client(self.named("Kitchen"))
        self.pantry = Pantry.Client(self.named("Pantry"))

    def named(self, service):
        return TMultiplexedProtocol(self.protocol, service) if self.given.multiplexed else self.protocol

    def __enter__(self):
        self.transport.open()
        return self

    def __exit__(self, *_):
        self.transport.close()

    def send(self, number, text):
        self.kitchen._seqid = number
        self.kitchen.send_echoString(text)

    def receive(self):
        return self.kitchen.recv_echoString()

    def set_headers(self, headers):
        for key, value in headers.items():
            self.protocol.set_header(key.encode(), value.encode())

    def answer_headers(self):
        return {key.decode(): value.decode() for key, value in self.protocol.get_headers().items()}


if __name__ == "__main__":
    cases.run(Connection, dialects.add_arguments)
