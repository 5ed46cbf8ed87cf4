package org.metaproto.interop;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.thrift.TApplicationException;
import org.apache.thrift.TException;
import org.apache.thrift.protocol.TMessage;
import org.apache.thrift.protocol.TMessageType;
import org.apache.thrift.protocol.TProtocol;
import org.metaproto.interop.kitchen.Burnt;
import org.metaproto.interop.kitchen.Dish;
import org.metaproto.interop.kitchen.Filling;
import org.metaproto.interop.kitchen.Kitchen;
import org.metaproto.interop.kitchen.Spice;
import org.metaproto.interop.kitchen.Taste;

/** The cases of the Java client. */
final class Cases {
    static final Map<String, Case> ALL = new LinkedHashMap<>();

    static {
        ALL.put("base-types", Cases::baseTypes);
        ALL.put("strings", Cases::strings);
        ALL.put("structs", Cases::structs);
        ALL.put("unions", Cases::unions);
        ALL.put("lists", Cases::lists);
        ALL.put("sets", Cases::sets);
        ALL.put("maps", Cases::maps);
        ALL.put("declared-exception", Cases::declaredException);
        ALL.put("undeclared-exception", Cases::undeclaredException);
        ALL.put("unknown-method", Cases::unknownMethod);
        ALL.put("void", Cases::nothing);
        ALL.put("oneway", Cases::oneway);
        ALL.put("large", Cases::large);
        ALL.put("pipelined", Cases::pipelined);
        ALL.put("concurrent", Cases::concurrent);
        ALL.put("multiplexed", Cases::multiplexed);
        ALL.put("headers", c -> {
            throw new Skipped("no headers in this library");
        });
    }

    private Cases() {}

    interface Case {
        void run(Connection c) throws Exception;
    }

    /** The library can't do this case. */
    static final class Skipped extends Exception {
        Skipped(String why) {
            super(why);
        }
    }

    private interface Echo<T> {
        T of(T value) throws TException;
    }

    private static void same(Object seen, Object wanted) {
        if (!Objects.equals(seen, wanted)) {
            throw new AssertionError("%.200s instead of %.200s".formatted(seen, wanted));
        }
    }

    @SafeVarargs
    private static <T> void echoes(Echo<T> echo, T... values) throws TException {
        for (T value : values) {
            same(echo.of(value), value);
        }
    }

    private static void baseTypes(Connection c) throws TException {
        var k = c.kitchen;
        echoes(k::echoBool, true, false);
        echoes(k::echoByte, (byte) 0, (byte) 1, (byte) -1, Byte.MAX_VALUE, Byte.MIN_VALUE);
        echoes(k::echoShort, (short) 0, (short) 1, (short) -1, Short.MAX_VALUE, Short.MIN_VALUE);
        echoes(k::echoInt, 0, 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE);
        echoes(k::echoLong, 0L, 1L, -1L, Long.MAX_VALUE, Long.MIN_VALUE);
        echoes(k::echoDouble, 0.0, 1.5, Double.MIN_VALUE, Double.MAX_VALUE, Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY, Double.NaN);
        byte[] octets = new byte[256];
        for (int at = 0; at < octets.length; at++) {
            octets[at] = (byte) at;
        }
        echoes(k::echoBinary, ByteBuffer.wrap(octets));
    }

    private static void strings(Connection c) throws TException {
        echoes(c.kitchen::echoString, "", "a", "Käse über Öl", "🍲 soup 🥖", "x".repeat(40_000));
    }

    private static void structs(Connection c) throws TException {
        List<Spice> spices =
                List.of(new Spice("salt").setGrams(5).setHot(false), new Spice("chili").setHot(true), new Spice(""));
        Dish full = new Dish("Gulasch 🍲", spices, Map.of("pot", 1L, "plate", -(1L << 40)), true)
                .setMain(new Spice("paprika").setGrams(20).setHot(true))
                .setPrice(12.5)
                .setPicture(new byte[] {0, (byte) 255, (byte) 128})
                .setTaste(Taste.BITTER)
                .setShelf((short) -7)
                .setRemark("far off");
        echoes(c.kitchen::echoDish, full, new Dish("plain", List.of(), Map.of(), false));
    }

    private static void unions(Connection c) throws TException {
        echoes(c.kitchen::echoFilling, Filling.number(Long.MIN_VALUE), Filling.text("jam"),
                Filling.spice(new Spice("salt").setGrams(1)), Filling.many(List.of(1, 2, 3)));
    }

    private static void lists(Connection c) throws TException {
        List<Boolean> mixed = new ArrayList<>();
        for (int turn = 0; turn < 5; turn++) {
            mixed.addAll(List.of(true, false, false, true));
        }
        echoes(c.kitchen::echoBools, List.of(), List.of(true), mixed);
        List<Spice> spices = IntStream.range(0, 40).mapToObj(n -> new Spice("n" + n).setGrams(n)).toList();
        echoes(c.kitchen::echoSpices, List.of(), spices);
    }

    private static void sets(Connection c) throws TException {
        echoes(c.kitchen::echoSet, Set.of(), Set.of(0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE));
    }

    private static void maps(Connection c) throws TException {
        echoes(c.kitchen::echoMap, Map.of(), Map.of("", List.of(), "primes", List.of(2, 3, 5, 7), "köln", List.of(-1)));
        Spice salt = new Spice("salt").setGrams(1).setHot(true);
        echoes(c.kitchen::echoNested, Map.of(), Map.of(1, Map.of("a", salt), -2, Map.of()));
    }

    private static void declaredException(Connection c) throws TException {
        same(c.kitchen.bake(180), "baked at 180");
        try {
            c.kitchen.bake(999);
            throw new AssertionError("no exception");
        } catch (Burnt burnt) {
            same(burnt, new Burnt("too hot", 999));
        }
        same(c.kitchen.bake(10), "baked at 10");
    }

    private interface Call {
        void run() throws TException;
    }

    private static void applicationException(Call call, Integer... types) throws TException {
        try {
            call.run();
        } catch (TApplicationException answer) {
            if (Arrays.asList(types).contains(answer.getType())) {
                return;
            }
            throw new AssertionError("type " + answer.getType() + ", message " + answer.getMessage(), answer);
        }
        throw new AssertionError("no exception");
    }

    private static void undeclaredException(Connection c) throws TException {
        applicationException(() -> c.kitchen.fail("oven"), TApplicationException.INTERNAL_ERROR, TApplicationException.UNKNOWN);
        same(c.kitchen.echoInt(3), 3);
    }

    private static void unknownMethod(Connection c) throws TException {
        applicationException(() -> c.kitchen.notYet("x"), TApplicationException.UNKNOWN_METHOD, TApplicationException.UNKNOWN);
        same(c.kitchen.echoInt(4), 4);
    }

    private static void nothing(Connection c) throws TException {
        c.kitchen.nothing();
        c.kitchen.sleep(1);
    }

    private static void oneway(Connection c) throws Exception {
        String key = "java-" + UUID.randomUUID();
        for (int turn = 0; turn < 3; turn++) {
            c.kitchen.note(key);
        }
        same(c.kitchen.echoString("after"), "after");
        for (int turn = 0; turn < 500 && c.kitchen.noted(key) != 3; turn++) {
            Thread.sleep(10);
        }
        same(c.kitchen.noted(key), 3);
    }

    private static void large(Connection c) throws TException {
        echoes(c.kitchen::echoString, "0123456789abcdeö".repeat(61_681));
        byte[] octets = new byte[1 << 20];
        for (int at = 0; at < octets.length; at++) {
            octets[at] = (byte) (at * 31);
        }
        echoes(c.kitchen::echoBinary, ByteBuffer.wrap(octets));
    }

    /** By hand, as a stub of this library takes only the answer to its latest call. */
    private static void pipelined(Connection c) throws TException {
        TProtocol output = c.named("Kitchen");
        for (int number = 0; number < 200; number++) {
            output.writeMessageBegin(new TMessage("echoString", TMessageType.CALL, number));
            new Kitchen.echoString_args("n" + number).write(output);
            output.writeMessageEnd();
            c.transport.flush();
        }
        for (int number = 0; number < 200; number++) {
            TMessage message = c.protocol.readMessageBegin();
            same(message.type, TMessageType.REPLY);
            same(message.seqid, number);
            Kitchen.echoString_result result = new Kitchen.echoString_result();
            result.read(c.protocol);
            c.protocol.readMessageEnd();
            same(result.getSuccess(), "n" + number);
        }
    }

    private static void concurrent(Connection c) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(50);
        try {
            List<Future<Void>> all = new ArrayList<>();
            for (int number = 0; number < 50; number++) {
                String name = number + "/";
                all.add(pool.submit(() -> {
                    try (Connection mine = new Connection(c.dialect)) {
                        for (int turn = 0; turn < 20; turn++) {
                            echoes(mine.kitchen::echoString, name + turn);
                        }
                    }
                    return null;
                }));
            }
            for (Future<Void> one : all) {
                one.get();
            }
        } finally {
            pool.shutdownNow();
        }
    }

    private static void multiplexed(Connection c) throws Exception {
        if (!c.dialect.multiplexed()) {
            throw new Skipped("started without --multiplexed");
        }
        same(c.kitchen.echoString("soup"), "soup");
        same(c.pantry.echoString("soup"), "pantry: soup");
        same(c.pantry.shelf(7), "shelf 7");
        same(c.kitchen.echoString("soup"), "soup");
    }
}
