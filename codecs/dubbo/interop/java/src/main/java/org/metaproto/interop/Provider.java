package org.metaproto.interop;

import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;

/** Serves {@link Kitchen} until it is told to end. */
final class Provider {
    private final Options options;
    private final ApplicationConfig application = Main.application("interop-provider");
    private final ProtocolConfig protocol;

    Provider(Options options) {
        this.options = options;
        protocol = new ProtocolConfig("dubbo", Integer.parseInt(options.needed("port")));
        protocol.setHost("127.0.0.1");
        protocol.setThreads(64);
        protocol.setPayload(64 << 20);
        String serialization = options.text("serialization", null);
        if (serialization != null) {
            protocol.setSerialization(serialization);
        }
        Map<String, String> parameters = new HashMap<>();
        // 3.x refuses what it has not announced.
        parameters.put("prefer.serialization", "hessian2,fastjson2");
        String heartbeat = options.text("heartbeat", null);
        if (heartbeat != null) {
            parameters.put("heartbeat", heartbeat);
        }
        protocol.setParameters(parameters);
    }

    void run(PrintStream out) throws InterruptedException {
        KitchenService service = new KitchenService(options.needed("tag"));
        export(Kitchen.class, service, "1.0.0", "blue");
        if (options.text("more", "no").equals("yes")) {
            export(Kitchen.class, service, "2.0.0", "blue");
            export(Kitchen.class, service, "1.0.0", "green");
            export(Pantry.class, service, "1.0.0", "blue");
        }
        out.println("listening on 127.0.0.1:" + protocol.getPort());
        // SIGTERM runs Dubbo's own shutdown hook.
        new CountDownLatch(1).await();
    }

    private <T> void export(Class<T> type, T service, String version, String group) {
        ServiceConfig<T> config = new ServiceConfig<>();
        config.setApplication(application);
        config.setProtocol(protocol);
        config.setRegistry(new RegistryConfig(RegistryConfig.NO_AVAILABLE));
        config.setInterface(type);
        config.setRef(service);
        config.setVersion(version);
        config.setGroup(group);
        config.export();
    }
}
