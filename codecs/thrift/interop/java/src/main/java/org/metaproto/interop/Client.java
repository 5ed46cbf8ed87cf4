package org.metaproto.interop;

import java.util.List;

/** Calls a Kitchen with Apache Thrift for Java. */
public final class Client {
    private Client() {}

    public static void main(String[] words) {
        Dialect dialect = new Dialect(words);
        String chosen = dialect.option("cases", "all");
        List<String> names = chosen.equals("all") ? List.copyOf(Cases.ALL.keySet()) : List.of(chosen.split(","));
        boolean failed = false;
        for (String name : names) {
            String outcome = outcome(dialect, name);
            failed |= outcome.startsWith("FAILED");
            System.out.println(outcome);
        }
        System.exit(failed ? 1 : 0);
    }

    private static String outcome(Dialect dialect, String name) {
        try (Connection connection = new Connection(dialect)) {
            Cases.ALL.get(name).run(connection);
            return "ok " + name;
        } catch (Cases.Skipped reason) {
            return "skipped " + name + ": " + reason.getMessage();
        } catch (Exception | AssertionError problem) {
            String why = problem.toString().replaceAll("\\s+", " ");
            return "FAILED " + name + ": " + why.substring(0, Math.min(why.length(), 300));
        }
    }
}
