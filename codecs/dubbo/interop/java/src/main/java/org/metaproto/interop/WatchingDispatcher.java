package org.metaproto.interop;

import java.util.concurrent.atomic.AtomicInteger;
import org.apache.dubbo.common.URL;
import org.apache.dubbo.remoting.Channel;
import org.apache.dubbo.remoting.ChannelHandler;
import org.apache.dubbo.remoting.Dispatcher;
import org.apache.dubbo.remoting.RemotingException;
import org.apache.dubbo.remoting.exchange.Request;
import org.apache.dubbo.remoting.transport.ChannelHandlerDelegate;
import org.apache.dubbo.remoting.transport.dispatcher.all.AllDispatcher;

/** Dubbo's own dispatcher, and counts the events that pass: the consumer itself says nothing about them. */
public final class WatchingDispatcher implements Dispatcher {
    /** READONLY events that have come in. */
    static final AtomicInteger READONLY = new AtomicInteger();

    @Override
    public ChannelHandler dispatch(ChannelHandler handler, URL url) {
        return new Watch(new AllDispatcher().dispatch(handler, url));
    }

    private record Watch(ChannelHandler next) implements ChannelHandlerDelegate {
        @Override
        public ChannelHandler getHandler() {
            return next;
        }

        @Override
        public void received(Channel channel, Object message) throws RemotingException {
            if (message instanceof Request request && request.isEvent() && "R".equals(request.getData())) {
                READONLY.incrementAndGet();
            }
            next.received(channel, message);
        }

        @Override
        public void connected(Channel channel) throws RemotingException {
            next.connected(channel);
        }

        @Override
        public void disconnected(Channel channel) throws RemotingException {
            next.disconnected(channel);
        }

        @Override
        public void sent(Channel channel, Object message) throws RemotingException {
            next.sent(channel, message);
        }

        @Override
        public void caught(Channel channel, Throwable error) throws RemotingException {
            next.caught(channel, error);
        }
    }
}
