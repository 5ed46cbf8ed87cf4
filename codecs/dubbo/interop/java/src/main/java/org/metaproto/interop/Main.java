package org.metaproto.interop;

import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.dubbo.config.ApplicationConfig;

/** {@code provider ..} or {@code consumer ..}: see the README. */
public final class Main {
    /**
     * 127.0.0.1 as a single number. As it is usually written Dubbo takes it for a mistake: providers then listen
     * everywhere, and consumers call the machine's outward address instead.
     */
    static final String LOOPBACK = Integer.toString(0x7f00_0001);

    private Main() {}

    public static void main(String[] words) throws Exception {
        if (words.length == 0) {
            throw new IllegalArgumentException("provider or consumer?");
        }
        Options options = new Options(words, 1);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        String log = options.text("log", null);
        if (log != null) {
            // The console handler of java.util.logging takes what is in System.err when it is made.
            System.setErr(new PrintStream(new FileOutputStream(log, true), true));
        }
        switch (words[0]) {
            case "provider" -> new Provider(options).run(out);
            case "consumer" -> System.exit(new Consumer(options).run(out) ? 0 : 1);
            default -> throw new IllegalArgumentException("not a command: " + words[0]);
        }
    }

    /** An application that opens no port and writes no file that was not asked for. */
    static ApplicationConfig application(String name) {
        // Properties, as 2.7 has no methods for some.
        System.setProperty("dubbo.application.enable-file-cache", "false");
        System.setProperty("dubbo.application.register-mode", "interface");
        System.setProperty("dubbo.service.shutdown.wait", "2000");
        System.setProperty("DUBBO_IP_TO_BIND", LOOPBACK);
        ApplicationConfig application = new ApplicationConfig(name);
        application.setQosEnable(false);
        return application;
    }
}
