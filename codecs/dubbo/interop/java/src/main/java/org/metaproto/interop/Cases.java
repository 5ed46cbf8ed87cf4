package org.metaproto.interop;

import static org.metaproto.interop.Checks.fails;
import static org.metaproto.interop.Checks.holds;
import static org.metaproto.interop.Checks.same;
import static org.metaproto.interop.Checks.shortly;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.dubbo.rpc.RpcContext;
import org.apache.dubbo.rpc.RpcException;

/** The cases by name. Each makes a few calls and throws when an answer is not what it has to be. */
final class Cases {
    private static final String GENERIC_STRING = "java.lang.String";

    private final References references;
    private final Target target;
    private final Kitchen kitchen;
    private final Map<String, Checks.Call> cases = new LinkedHashMap<>();

    Cases(References references, Target target) {
        this.references = references;
        this.target = target;
        kitchen = references.kitchen(target);
        add("strings", this::strings);
        add("numbers", this::numbers);
        add("pojo", this::pojo);
        add("list", this::list);
        add("map", this::map);
        add("enum", this::enums);
        add("bytes", this::bytes);
        add("date", this::date);
        add("exception-declared", this::exceptionDeclared);
        add("exception-runtime", this::exceptionRuntime);
        add("exception-generic", this::exceptionGeneric);
        add("null", () -> same("null", null, kitchen.nullString()));
        add("void", kitchen::nothing);
        add("oneway", this::oneway);
        add("async", this::async);
        add("large", this::large);
        add("attachments", this::attachments);
        add("concurrent", this::concurrent);
        add("unknown-method", this::unknownMethod);
        add("unknown-service", this::unknownService);
    }

    private interface Steps {
        void run() throws Throwable;
    }

    private void add(String name, Steps steps) {
        cases.put(name, () -> {
            steps.run();
            return null;
        });
    }

    List<String> names() {
        return List.copyOf(cases.keySet());
    }

    boolean has(String name) {
        return cases.containsKey(name);
    }

    void run(String name) throws Throwable {
        cases.get(name).run();
    }

    private void strings() {
        List<String> values = new ArrayList<>(List.of("", "plain", "äöüß", "中文字符", "emoji 😀👩‍🚀", "😀".repeat(700)));
        for (int length : new int[] {31, 32, 1023, 1024, 40_000}) {
            values.add("s".repeat(length));
        }
        values.add("ü".repeat(40_000));
        for (String value : values) {
            same("echoString of " + value.length(), value, kitchen.echoString(value));
        }
    }

    private void numbers() {
        for (int value : new int[] {0, -1, 1, 47, 2047, 262_143, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            same("echoInt", value, kitchen.echoInt(value));
        }
        for (long value : new long[] {0, -1, 15, 2047, 262_143, 1L << 31, Long.MIN_VALUE, Long.MAX_VALUE}) {
            same("echoLong", value, kitchen.echoLong(value));
        }
        double[] doubles = {
            0, -0.0, -1, 1, 127, 32_767, 1.5, Math.PI, Double.MIN_VALUE, Double.MAX_VALUE,
            Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY
        };
        for (double value : doubles) {
            // Hessian and JSON write -0.0 as 0, so the values count and not their bits.
            double got = kitchen.echoDouble(value);
            holds("echoDouble of " + value + " is " + got, value == got || Double.isNaN(value) && Double.isNaN(got));
        }
        same("echoBool", true, kitchen.echoBool(true));
        same("echoBool", false, kitchen.echoBool(false));
    }

    static User user(String name, User friend) {
        User user = new User();
        user.setName(name);
        user.setAge(name.length());
        user.setTags(new ArrayList<>(Arrays.asList("a", "ü", "")));
        user.setScores(new HashMap<>(Map.of("chess", 7, "go", -1)));
        user.setColor(Color.GREEN);
        user.setFriend(friend);
        return user;
    }

    private void pojo() {
        User nested = user("Ada", user("Grace", user("Edsger", null)));
        same("echoUser", nested, kitchen.echoUser(nested));
        same("echoUser of an empty one", new User(), kitchen.echoUser(new User()));
        same("echoUser of null", null, kitchen.echoUser(null));
    }

    private void list() {
        User shared = user("Ada", null);
        List<User> users = new ArrayList<>(List.of(shared, user("Grace", shared), shared));
        for (int more = 0; more < 20; more++) {
            users.add(user("n" + more, null));
        }
        same("echoUsers", users, kitchen.echoUsers(users));
        same("echoUsers of none", List.of(), kitchen.echoUsers(new ArrayList<>()));
    }

    private void map() {
        Map<String, User> users = new HashMap<>();
        users.put("ada", user("Ada", null));
        users.put("größe", user("Grace", user("Edsger", null)));
        same("echoMap", users, kitchen.echoMap(users));
        same("echoMap of none", Map.of(), kitchen.echoMap(new HashMap<>()));
    }

    private void enums() {
        for (Color color : Color.values()) {
            same("echoColor", color, kitchen.echoColor(color));
        }
    }

    private void bytes() {
        for (int length : new int[] {0, 1, 15, 16, 1023, 1024, 20_000}) {
            byte[] value = pattern(length);
            same("echoBytes of " + length, value, kitchen.echoBytes(value));
        }
    }

    private static byte[] pattern(int length) {
        byte[] value = new byte[length];
        for (int at = 0; at < length; at++) {
            value[at] = (byte) (at * 31);
        }
        return value;
    }

    private void date() {
        for (long millis : new long[] {0, 60_000, 1_700_000_000_123L, -1, 4_102_444_800_000L}) {
            same("echoDate", new Date(millis), kitchen.echoDate(new Date(millis)));
        }
    }

    private void exceptionDeclared() {
        Throwable thrown = fails("failDeclared", () -> kitchen.failDeclared("the oven is cold"));
        same("class", KitchenException.class, thrown.getClass());
        same("message", "the oven is cold", thrown.getMessage());
    }

    private void exceptionRuntime() {
        Throwable thrown = fails("failRuntime", () -> kitchen.failRuntime("no gas"));
        same("class", IllegalStateException.class, thrown.getClass());
        same("message", "no gas", thrown.getMessage());
    }

    private void exceptionGeneric() {
        var generic = references.generic(target, Kitchen.class.getName());
        String[] types = {GENERIC_STRING};
        same("$invoke", "hello", generic.$invoke("echoString", types, new Object[] {"hello"}));
        Throwable thrown = fails("$invoke", () -> generic.$invoke("failDeclared", types, new Object[] {"too hot"}));
        // Providers wrap it in classes of their own, or not at all.
        String told = shortly(thrown);
        holds("the exception's class in " + told, told.contains(KitchenException.class.getName()));
        holds("its message in " + told, told.contains("too hot"));
    }

    private void oneway() throws InterruptedException {
        for (boolean sent : new boolean[] {false, true}) {
            Kitchen oneway = references.oneway(target, sent);
            String key = "key " + UUID.randomUUID();
            for (int call = 0; call < 3; call++) {
                oneway.note(key);
            }
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
            int noted = 0;
            while (noted < 3 && System.nanoTime() < end) {
                noted = kitchen.noted(key);
                Thread.sleep(5);
            }
            same("noted, sent=" + sent, 3, noted);
        }
    }

    private void async() throws Exception {
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int call = 0; call < 20; call++) {
            answers.add(kitchen.echoAsync("call " + call));
        }
        for (int call = 0; call < 20; call++) {
            same("echoAsync", "call " + call, answers.get(call).get(10, TimeUnit.SECONDS));
        }
    }

    private void large() {
        String text = "0123456789abcdef".repeat(1 << 16);
        same("1 MiB string", text, kitchen.echoString(text));
        byte[] bytes = pattern(1 << 20);
        same("1 MiB byte[]", bytes, kitchen.echoBytes(bytes));
    }

    @SuppressWarnings("deprecation") // the names that both editions have
    private void attachments() {
        Map<String, String> given = new LinkedHashMap<>();
        given.put("tag", "canary");
        given.put("trace", "0123456789abcdef");
        given.put("empty", "");
        given.put("größe", "中文 😀");
        given.put("method", "not the method");
        for (Map.Entry<String, String> one : given.entrySet()) {
            try {
                given.forEach((name, value) -> RpcContext.getContext().setAttachment(name, value));
                same("attachment " + one.getKey(), one.getValue(), kitchen.attachment(one.getKey()));
                String answer = RpcContext.getServerContext().getAttachment("answer-" + one.getKey());
                same("response attachment answer-" + one.getKey(), one.getValue(), answer);
            } finally {
                RpcContext.getContext().clearAttachments();
            }
        }
        same("an attachment of an earlier call", null, kitchen.attachment("tag"));
        interfaceAttachment();
    }

    /** Java providers look the service up by this attachment, and fail. In any case the call must have got that far. */
    @SuppressWarnings("deprecation")
    private void interfaceAttachment() {
        String given = "not the interface";
        try {
            RpcContext.getContext().setAttachment("interface", given);
            same("attachment interface", given, kitchen.attachment("interface"));
        } catch (RpcException thrown) {
            holds("the provider's error, not " + shortly(thrown), shortly(thrown).contains("Fail to decode request"));
        } finally {
            RpcContext.getContext().clearAttachments();
        }
        same("the next call", "still here", kitchen.echoString("still here"));
    }

    private void concurrent() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(50);
        List<Future<?>> done = new ArrayList<>();
        for (int thread = 0; thread < 50; thread++) {
            String caller = "caller " + thread + " ";
            done.add(threads.submit(() -> {
                for (int call = 0; call < 20; call++) {
                    String value = caller + call;
                    same("echoString", value, kitchen.echoString(value));
                }
            }));
        }
        threads.shutdown();
        for (Future<?> one : done) {
            one.get(30, TimeUnit.SECONDS);
        }
    }

    private void unknownMethod() {
        var generic = references.generic(target, Kitchen.class.getName());
        Throwable thrown =
                fails("a method that is not there", () -> generic.$invoke("bake", new String[0], new Object[0]));
        holds("an exception that tells the method: " + shortly(thrown), shortly(thrown).contains("bake"));
        same("the next call", "still here", kitchen.echoString("still here"));
    }

    private void unknownService() {
        var generic = references.generic(target, "org.metaproto.interop.Cellar");
        long began = System.nanoTime();
        Throwable thrown = fails(
                "a service that is not there",
                () -> generic.$invoke("fetch", new String[] {GENERIC_STRING}, new Object[] {"wine"}));
        holds("not a timeout: " + shortly(thrown), !(thrown instanceof RpcException rpc && rpc.isTimeout()));
        holds("at once", TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began) < 5);
        same("the next call", "still here", kitchen.echoString("still here"));
    }
}
