package org.metaproto.interop;

import static org.metaproto.interop.Checks.shortly;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.RpcException;

/** Single calls for scripts: what came of them is told, and the script judges. */
final class Probes {
    static final Set<String> NAMES = Set.of(
            "whoami", "pantry", "echo", "sleep", "note", "noted", "attachment", "answered", "steady", "readonly", "forget");

    private final References references;

    Probes(References references) {
        this.references = references;
    }

    /** One line: {@code value TEXT}, or {@code error CODE CLASS: MESSAGE}, with the milliseconds that it took. */
    String run(String name, Target target, Map<String, String> given) {
        long began = System.nanoTime();
        String told;
        try {
            told = "value " + call(name, target, given);
        } catch (Throwable thrown) {
            String code = thrown instanceof RpcException rpc ? codeOf(rpc) : "-";
            told = "error " + code + " " + shortly(thrown);
        }
        return name + " " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began) + " ms: " + told;
    }

    @SuppressWarnings("deprecation") // the names that both editions have
    private Object call(String name, Target target, Map<String, String> given) throws Exception {
        String tag = given.get("tag");
        if (tag != null) {
            RpcContext.getContext().setAttachment("tag", tag);
        }
        try {
            return switch (name) {
                case "whoami" -> references.kitchen(target).whoami();
                case "pantry" -> references.pantry(target).whoami();
                case "echo" -> references.kitchen(target).echoString(given.getOrDefault("text", "echo"));
                case "sleep" -> references.kitchen(target).sleep(Integer.parseInt(given.get("for")));
                case "note" -> note(target, given.get("key"));
                case "noted" -> references.kitchen(target).noted(given.get("key"));
                case "attachment" -> references.kitchen(target).attachment(given.get("name"));
                case "answered" -> {
                    references.kitchen(target).attachment("tag");
                    yield RpcContext.getServerContext().getAttachment(given.get("name"));
                }
                case "steady" -> steady(target, Integer.parseInt(given.get("threads")), given);
                case "readonly" -> WatchingDispatcher.READONLY.get();
                case "forget" -> {
                    references.forget();
                    yield "done";
                }
                default -> throw new IllegalArgumentException("no such probe");
            };
        } finally {
            RpcContext.getContext().clearAttachments();
        }
    }

    private String note(Target target, String key) {
        references.oneway(target, true).note(key);
        return "sent";
    }

    /** Calls from some threads for a time: how many were made, and an error if one failed. */
    private String steady(Target target, int threads, Map<String, String> given) throws InterruptedException {
        Kitchen kitchen = references.kitchen(target);
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(given.get("for")));
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        AtomicReference<String> first = new AtomicReference<>();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Runnable> loops = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            String caller = "thread " + thread + " ";
            loops.add(() -> {
                while (System.nanoTime() < end) {
                    String value = caller + calls.incrementAndGet();
                    try {
                        Checks.same("echo", value, kitchen.echoString(value));
                        kitchen.sleep(2);
                    } catch (RuntimeException thrown) {
                        failed.incrementAndGet();
                        first.compareAndSet(null, shortly(thrown));
                    }
                }
            });
        }
        loops.forEach(pool::execute);
        pool.shutdown();
        if (!pool.awaitTermination(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException("calls hang");
        }
        if (failed.get() > 0) {
            throw new IllegalStateException(failed + " of " + calls + " calls failed, first: " + first);
        }
        return calls + " calls";
    }

    private static String codeOf(RpcException error) {
        return switch (error.getCode()) {
            case RpcException.NETWORK_EXCEPTION -> "NETWORK";
            case RpcException.TIMEOUT_EXCEPTION -> "TIMEOUT";
            case RpcException.BIZ_EXCEPTION -> "BIZ";
            case RpcException.FORBIDDEN_EXCEPTION -> "FORBIDDEN";
            case RpcException.SERIALIZATION_EXCEPTION -> "SERIALIZATION";
            default -> Integer.toString(error.getCode());
        };
    }
}
