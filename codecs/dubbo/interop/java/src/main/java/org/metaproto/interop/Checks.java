package org.metaproto.interop;

import java.util.Arrays;
import java.util.Objects;

/** What a case expects, and what it got instead. */
final class Checks {
    private Checks() {}

    /** A check that did not hold. */
    static final class Mismatch extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Mismatch(String message) {
            super(message);
        }
    }

    @FunctionalInterface
    interface Call {
        Object run() throws Throwable;
    }

    static void same(String what, Object expected, Object got) {
        boolean equal = expected instanceof byte[] bytes && got instanceof byte[] others
                ? Arrays.equals(bytes, others)
                : Objects.equals(expected, got);
        if (!equal) {
            throw new Mismatch(what + ": expected " + shortly(expected) + ", got " + shortly(got));
        }
    }

    static void holds(String what, boolean holds) {
        if (!holds) {
            throw new Mismatch(what);
        }
    }

    /** The exception that {@code call} ends with. */
    static Throwable fails(String what, Call call) {
        Object value;
        try {
            value = call.run();
        } catch (Throwable thrown) {
            return thrown;
        }
        throw new Mismatch(what + ": expected an exception, got " + shortly(value));
    }

    /** A value in one short line. What Dubbo's exceptions say in front of their cause is about the consumer itself. */
    static String shortly(Object value) {
        String text = value == null ? "null" : value.getClass().getSimpleName() + " " + value;
        text = value instanceof Throwable thrown ? thrown.toString() : text;
        text = text.replaceAll("\\s+", " ");
        int cause = text.indexOf(", cause: ");
        if (cause > 200) {
            text = text.substring(0, 200) + " .. " + text.substring(cause + 2);
        }
        return text.length() > 700 ? text.substring(0, 700) + ".." : text;
    }
}
