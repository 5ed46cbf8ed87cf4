package org.metaproto.interop;

import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The service that all interop programs share: every kind of value that a call can carry. */
public interface Kitchen {
    String echoString(String value);

    int echoInt(int value);

    long echoLong(long value);

    double echoDouble(double value);

    boolean echoBool(boolean value);

    byte[] echoBytes(byte[] value);

    Date echoDate(Date value);

    User echoUser(User value);

    List<User> echoUsers(List<User> value);

    Map<String, User> echoMap(Map<String, User> value);

    Color echoColor(Color value);

    void nothing();

    String nullString();

    /** Always fails with {@code message}. */
    String failDeclared(String message) throws KitchenException;

    /** Always fails with {@code message}, and does not say so. */
    String failRuntime(String message);

    /** Counts a call; made for calls that nobody answers. */
    void note(String key);

    /** How often {@link #note} has been called with {@code key}. */
    int noted(String key);

    /** The request attachment {@code name}, or null. It is sent back as response attachment {@code answer-NAME}, too. */
    String attachment(String name);

    CompletableFuture<String> echoAsync(String value);

    /** Says "slept" after so many milliseconds. */
    String sleep(int milliseconds);

    /** The tag that the provider was started with. */
    String whoami();
}
