package org.metaproto.interop;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.thrift.TMultiplexedProcessor;
import org.apache.thrift.TProcessor;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.metaproto.interop.kitchen.Burnt;
import org.metaproto.interop.kitchen.Dish;
import org.metaproto.interop.kitchen.Filling;
import org.metaproto.interop.kitchen.Kitchen;
import org.metaproto.interop.kitchen.Pantry;
import org.metaproto.interop.kitchen.Spice;

/** A Kitchen on Apache Thrift for Java. */
public final class Server {
    private Server() {}

    public static void main(String[] words) throws Exception {
        Dialect dialect = new Dialect(words);
        TProcessor processor = new Kitchen.Processor<>(new Cook(dialect.option("tag", "java")));
        if (dialect.multiplexed()) {
            TMultiplexedProcessor both = new TMultiplexedProcessor();
            both.registerProcessor("Kitchen", processor);
            both.registerProcessor("Pantry", new Pantry.Processor<>(new Shelves()));
            processor = both;
        }
        int port = Integer.parseInt(dialect.option("port", "0"));
        ServerSocket listener = new ServerSocket(port, 200, InetAddress.getByName("127.0.0.1"));
        TThreadPoolServer.Args options = new TThreadPoolServer.Args(new TServerSocket(listener))
                .processor(processor)
                .transportFactory(dialect.transports())
                .protocolFactory(dialect.protocols())
                .minWorkerThreads(1)
                .maxWorkerThreads(400);
        System.out.println("listening on 127.0.0.1:" + listener.getLocalPort());
        new TThreadPoolServer(options).serve();
    }

    private record Cook(String tag, Map<String, Integer> notes) implements Kitchen.Iface {
        Cook(String tag) {
            this(tag, new ConcurrentHashMap<>());
        }

        @Override
        public boolean echoBool(boolean value) {
            return value;
        }

        @Override
        public byte echoByte(byte value) {
            return value;
        }

        @Override
        public short echoShort(short value) {
            return value;
        }

        @Override
        public int echoInt(int value) {
            return value;
        }

        @Override
        public long echoLong(long value) {
            return value;
        }

        @Override
        public double echoDouble(double value) {
            return value;
        }

        @Override
        public String echoString(String value) {
            return value;
        }

        @Override
        public ByteBuffer echoBinary(ByteBuffer value) {
            return value;
        }

        @Override
        public Dish echoDish(Dish value) {
            return value;
        }

        @Override
        public Filling echoFilling(Filling value) {
            return value;
        }

        @Override
        public List<Boolean> echoBools(List<Boolean> value) {
            return value;
        }

        @Override
        public List<Spice> echoSpices(List<Spice> value) {
            return value;
        }

        @Override
        public Set<Integer> echoSet(Set<Integer> value) {
            return value;
        }

        @Override
        public Map<String, List<Integer>> echoMap(Map<String, List<Integer>> value) {
            return value;
        }

        @Override
        public Map<Integer, Map<String, Spice>> echoNested(Map<Integer, Map<String, Spice>> value) {
            return value;
        }

        @Override
        public String bake(int degrees) throws Burnt {
            if (degrees > 200) {
                throw new Burnt("too hot", degrees);
            }
            return "baked at " + degrees;
        }

        @Override
        public void fail(String reason) {
            throw new IllegalStateException(reason);
        }

        @Override
        public void nothing() {}

        @Override
        public void note(String key) {
            notes.merge(key, 1, Integer::sum);
        }

        @Override
        public int noted(String key) {
            return notes.getOrDefault(key, 0);
        }

        @Override
        public void sleep(int ms) {
            try {
                Thread.sleep(ms);
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public String whoami() {
            return tag;
        }

        @Override
        public String header(String name) {
            return "";
        }
    }

    private record Shelves() implements Pantry.Iface {
        @Override
        public String echoString(String value) {
            return "pantry: " + value;
        }

        @Override
        public String shelf(int number) {
            return "shelf " + number;
        }
    }
}
