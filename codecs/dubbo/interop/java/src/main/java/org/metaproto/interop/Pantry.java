package org.metaproto.interop;

/** A second interface, for routes by interface. */
public interface Pantry {
    /** The tag that the provider was started with. */
    String whoami();
}
