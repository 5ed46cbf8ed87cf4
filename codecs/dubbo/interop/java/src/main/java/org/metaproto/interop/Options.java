package org.metaproto.interop;

import java.util.HashMap;
import java.util.Map;

/** Words of a command line: {@code --name value} pairs. */
final class Options {
    private final Map<String, String> values = new HashMap<>();

    /** Reads the words from {@code first} on. */
    Options(String[] words, int first) {
        for (int at = first; at < words.length; at += 2) {
            if (!words[at].startsWith("--") || at + 1 == words.length) {
                throw new IllegalArgumentException("expected --name value at: " + words[at]);
            }
            values.put(words[at].substring(2), words[at + 1]);
        }
    }

    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    String needed(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }
}
