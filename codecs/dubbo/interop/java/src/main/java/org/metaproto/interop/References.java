package org.metaproto.interop;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.MethodConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.rpc.service.GenericService;

/** The consumer's proxies of services, made when they are first asked for. All of one address share one connection. */
final class References {
    private record Key(Target target, String kind) {}

    private final ApplicationConfig application = Main.application("interop-consumer");
    private final Map<Key, ReferenceConfig<?>> made = new HashMap<>();

    synchronized Kitchen kitchen(Target target) {
        return (Kitchen) made.computeIfAbsent(new Key(target, "kitchen"), key -> typed(Kitchen.class, target)).get();
    }

    synchronized Pantry pantry(Target target) {
        return (Pantry) made.computeIfAbsent(new Key(target, "pantry"), key -> typed(Pantry.class, target)).get();
    }

    /** A kitchen whose {@code note} expects no answer; with {@code sent} it returns when the request is written. */
    synchronized Kitchen oneway(Target target, boolean sent) {
        return (Kitchen) made.computeIfAbsent(new Key(target, "oneway " + sent), key -> {
            MethodConfig note = new MethodConfig();
            note.setName("note");
            note.setReturn(false);
            note.setSent(sent);
            ReferenceConfig<Kitchen> config = typed(Kitchen.class, target);
            config.setMethods(List.of(note));
            return config;
        }).get();
    }

    synchronized GenericService generic(Target target, String service) {
        return (GenericService) made.computeIfAbsent(new Key(target, "generic " + service), key -> {
            ReferenceConfig<GenericService> config = config(target, service);
            config.setInterface(service);
            config.setGeneric("true");
            return config;
        }).get();
    }

    /** Gives all proxies back, and closes their connections. */
    synchronized void forget() {
        made.values().forEach(ReferenceConfig::destroy);
        made.clear();
    }

    private <T> ReferenceConfig<T> typed(Class<T> type, Target target) {
        ReferenceConfig<T> config = config(target, type.getName());
        config.setInterface(type);
        return config;
    }

    private <T> ReferenceConfig<T> config(Target target, String service) {
        ReferenceConfig<T> config = new ReferenceConfig<>();
        config.setApplication(application);
        config.setUrl(target.urlsFor(service));
        config.setVersion(target.version());
        config.setGroup(target.group());
        config.setTimeout(target.timeout());
        config.setRetries(0);
        config.setCheck(false);
        return config;
    }
}
