package org.metaproto.interop;

import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.dubbo.rpc.RpcContext;

/** The provider's side of {@link Kitchen} and {@link Pantry}. */
public class KitchenService implements Kitchen, Pantry {
    private final String tag;
    private final Map<String, AtomicInteger> notes = new ConcurrentHashMap<>();

    public KitchenService(String tag) {
        this.tag = tag;
    }

    @Override
    public String echoString(String value) {
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
    public boolean echoBool(boolean value) {
        return value;
    }

    @Override
    public byte[] echoBytes(byte[] value) {
        return value;
    }

    @Override
    public Date echoDate(Date value) {
        return value;
    }

    @Override
    public User echoUser(User value) {
        return value;
    }

    @Override
    public List<User> echoUsers(List<User> value) {
        return value;
    }

    @Override
    public Map<String, User> echoMap(Map<String, User> value) {
        return value;
    }

    @Override
    public Color echoColor(Color value) {
        return value;
    }

    @Override
    public void nothing() {}

    @Override
    public String nullString() {
        return null;
    }

    @Override
    public String failDeclared(String message) throws KitchenException {
        throw new KitchenException(message);
    }

    @Override
    public String failRuntime(String message) {
        throw new IllegalStateException(message);
    }

    @Override
    public void note(String key) {
        notes.computeIfAbsent(key, unused -> new AtomicInteger()).incrementAndGet();
    }

    @Override
    public int noted(String key) {
        AtomicInteger count = notes.get(key);
        return count == null ? 0 : count.get();
    }

    @Override
    @SuppressWarnings("deprecation") // the names that both editions have
    public String attachment(String name) {
        String value = RpcContext.getContext().getAttachment(name);
        RpcContext.getServerContext().setAttachment("answer-" + name, value);
        return value;
    }

    @Override
    public CompletableFuture<String> echoAsync(String value) {
        return CompletableFuture.supplyAsync(() -> value);
    }

    @Override
    public String sleep(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        return "slept";
    }

    @Override
    public String whoami() {
        return tag;
    }
}
