package org.metaproto.interop;

/** An enum as a service has them. */
public enum Color {
    RED,
    GREEN,
    BLUE
}
