package org.metaproto.interop;

/** The exception that the interface declares. */
public class KitchenException extends Exception {
    private static final long serialVersionUID = 1L;

    public KitchenException() {}

    public KitchenException(String message) {
        super(message);
    }
}
