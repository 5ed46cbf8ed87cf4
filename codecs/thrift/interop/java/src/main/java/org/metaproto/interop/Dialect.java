package org.metaproto.interop;

import java.util.HashMap;
import java.util.Map;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.protocol.TCompactProtocol;
import org.apache.thrift.protocol.TProtocolFactory;
import org.apache.thrift.transport.TTransportFactory;
import org.apache.thrift.transport.layered.TFramedTransport;

/** The command line, and transport and protocol by the names that it has for them. */
final class Dialect {
    private final Map<String, String> given = new HashMap<>();

    Dialect(String[] words) {
        for (int at = 0; at < words.length; at++) {
            boolean flag = at + 1 == words.length || words[at + 1].startsWith("--");
            given.put(words[at], flag ? "yes" : words[++at]);
        }
    }

    String option(String name, String otherwise) {
        return given.getOrDefault("--" + name, otherwise);
    }

    boolean multiplexed() {
        return given.containsKey("--multiplexed");
    }

    TTransportFactory transports() {
        return switch (option("transport", "framed")) {
            case "framed" -> new TFramedTransport.Factory();
            // A socket of this library has buffers of its own.
            case "buffered" -> new TTransportFactory();
            default -> throw unknown("transport");
        };
    }

    TProtocolFactory protocols() {
        return switch (option("protocol", "binary")) {
            case "binary" -> new TBinaryProtocol.Factory(true, true);
            case "oldbinary" -> new TBinaryProtocol.Factory(false, false);
            case "compact" -> new TCompactProtocol.Factory();
            default -> throw unknown("protocol");
        };
    }

    private IllegalArgumentException unknown(String name) {
        return new IllegalArgumentException("no " + name + " " + option(name, "") + " in this library");
    }
}
