package org.metaproto.interop;

import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a call is made with. Times are in milliseconds; a {@code heartbeat} of null is Dubbo's default of a minute. */
record Target(String url, String serialization, String version, String group, int timeout, String heartbeat) {
    static Target of(Options options) {
        return new Target(
                options.text("url", null),
                options.text("serialization", "hessian2"),
                options.text("version", "1.0.0"),
                options.text("group", "blue"),
                Integer.parseInt(options.text("timeout", "10000")),
                options.text("heartbeat", null));
    }

    /** This target, but for what {@code changes} say. */
    Target with(Map<String, String> changes) {
        return new Target(
                changes.getOrDefault("url", url),
                changes.getOrDefault("serialization", serialization),
                changes.getOrDefault("version", version),
                changes.getOrDefault("group", group),
                Integer.parseInt(changes.getOrDefault("timeout", Integer.toString(timeout))),
                changes.getOrDefault("heartbeat", heartbeat));
    }

    /**
     * The providers' URLs as Dubbo takes them when there is no registry. One alone is written twice: with a single URL
     * 2.7 leaves its cluster out, and with it the response attachments. Both share one connection.
     */
    String urlsFor(String service) {
        String addresses = url.contains(",") ? url : url + "," + url;
        String beat = heartbeat == null ? "" : "&heartbeat=" + heartbeat;
        return Stream.of(addresses.replace("127.0.0.1", Main.LOOPBACK).split(","))
                .map(address -> "dubbo://" + address + "/" + service + "?cluster=failover&dispatcher=watching&payload=67108864"
                        + "&serialization=" + serialization + "&prefer.serialization=" + serialization + beat)
                .collect(Collectors.joining(";"));
    }
}
