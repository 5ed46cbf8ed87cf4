package org.metaproto.interop;

import org.apache.thrift.TException;
import org.apache.thrift.protocol.TMultiplexedProtocol;
import org.apache.thrift.protocol.TProtocol;
import org.apache.thrift.transport.TSocket;
import org.apache.thrift.transport.TTransport;
import org.metaproto.interop.kitchen.KitchenOfTomorrow;
import org.metaproto.interop.kitchen.Pantry;

/** A connection with the stubs of both services on it. */
final class Connection implements AutoCloseable {
    private static final int PATIENCE_MS = 20_000;

    final Dialect dialect;
    final TTransport transport;
    final TProtocol protocol;
    final KitchenOfTomorrow.Client kitchen;
    final Pantry.Client pantry;

    Connection(Dialect dialect) throws TException {
        this.dialect = dialect;
        String[] address = dialect.option("address", "").split(":");
        TSocket socket = new TSocket(address[0], Integer.parseInt(address[1]), PATIENCE_MS);
        transport = dialect.transports().getTransport(socket);
        protocol = dialect.protocols().getProtocol(transport);
        kitchen = new KitchenOfTomorrow.Client(protocol, named("Kitchen"));
        pantry = new Pantry.Client(protocol, named("Pantry"));
        transport.open();
    }

    TProtocol named(String service) {
        return dialect.multiplexed() ? new TMultiplexedProtocol(protocol, service) : protocol;
    }

    @Override
    public void close() {
        transport.close();
    }
}
