package org.metaproto.interop;

import static org.metaproto.interop.Checks.shortly;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs cases: those of the command line, or those that it is told line by line. */
final class Consumer {
    private final Target target;
    private final String wanted;
    private final References references = new References();
    private final Probes probes = new Probes(references);

    Consumer(Options options) {
        target = Target.of(options);
        wanted = options.text("cases", "all");
    }

    /** True if all went well. */
    boolean run(PrintStream out) throws IOException {
        if (wanted.equals("-")) {
            return converse(out);
        }
        Cases cases = new Cases(references, target);
        boolean good = true;
        for (String name : wanted.equals("all") ? cases.names() : List.of(wanted.split(","))) {
            good &= runCase(cases, name, out);
        }
        return good;
    }

    /**
     * One request a line: {@code NAME [key=value ..]}, where NAME is a case, {@code all}, or a probe. The last line of an
     * answer starts with {@code done}.
     */
    private boolean converse(PrintStream out) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.trim().split("\\s+");
            Map<String, String> given = new HashMap<>();
            for (int at = 1; at < words.length; at++) {
                String[] pair = words[at].split("=", 2);
                given.put(pair[0], pair.length == 2 ? pair[1] : "");
            }
            answer(words[0], target.with(given), given, out);
        }
        return true;
    }

    private void answer(String names, Target at, Map<String, String> given, PrintStream out) {
        if (Probes.NAMES.contains(names)) {
            out.println("done " + probes.run(names, at, given));
            return;
        }
        try {
            Cases cases = new Cases(references, at);
            for (String name : names.equals("all") ? cases.names() : List.of(names.split(","))) {
                runCase(cases, name, out);
            }
        } catch (RuntimeException thrown) {
            out.println("FAILED " + names + ": " + shortly(thrown));
        }
        out.println("done");
    }

    private static boolean runCase(Cases cases, String name, PrintStream out) {
        if (!cases.has(name)) {
            out.println("FAILED " + name + ": there is no such case");
            return false;
        }
        try {
            cases.run(name);
            out.println("ok " + name);
            return true;
        } catch (Throwable thrown) {
            out.println("FAILED " + name + ": " + shortly(thrown));
            return false;
        }
    }
}
