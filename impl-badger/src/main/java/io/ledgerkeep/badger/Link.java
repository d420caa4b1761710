package io.ledgerkeep.badger;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.ledgerkeep.badger.BadgerConfig.Tcp;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection to a sidecar, and the one thread that serves it. */
final class Link implements AutoCloseable {

  /** Above the largest message of the sidecar: one entry, or a chunk of a scan. */
  private static final int MAX_MESSAGE_BYTES = 16 << 20;

  /** How long a connection is silent before it is tried, and how long that may take. */
  private static final long KEEP_ALIVE_SECONDS = 20;

  private static final long SHUTDOWN_SECONDS = 10;
  private static final Logger LOG = LoggerFactory.getLogger(Link.class);

  private final EventLoopGroup loop;
  private final ManagedChannel channel;
  private final Optional<Credentials> credentials;

  private Link(
      EventLoopGroup loop, NettyChannelBuilder builder, Optional<Credentials> credentials) {
    this.loop = loop;
    this.credentials = credentials;
    // Our listeners only put things into queues; so the thread of the connection can run them.
    Executor direct = Runnable::run;
    this.channel =
        builder
            .eventLoopGroup(loop)
            .executor(direct)
            .offloadExecutor(loop)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .keepAliveWithoutCalls(true)
            .disableRetry()
            .build();
  }

  /** Returns a connection to a Unix domain socket, which need not be there yet. */
  static Link unix(Path socket) {
    return new Link(
        loop(),
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
            .overrideAuthority("localhost")
            // gRPC sets it, and Netty warns of it each time: such a socket does not have it.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .usePlaintext(),
        Optional.empty());
  }

  /** Returns a connection to a port. */
  static Link tcp(Tcp at) {
    EventLoopGroup loop = loop();
    try {
      NettyChannelBuilder builder =
          NettyChannelBuilder.forAddress(at.host(), at.port()).channelType(NioSocketChannel.class);
      if (at.tls().isEmpty()) {
        return new Link(loop, builder.usePlaintext(), Optional.empty());
      }
      Credentials credentials = Credentials.read(at.tls().get());
      return new Link(loop, builder.sslContext(credentials.context()), Optional.of(credentials));
    } catch (IOException | GeneralSecurityException e) {
      end(loop);
      throw new ConfigurationException(
          "the files of tls-certificate, tls-key and tls-ca cannot be used: " + e.getMessage(), e);
    }
  }

  private static EventLoopGroup loop() {
    return new MultiThreadIoEventLoopGroup(
        1, new DefaultThreadFactory("ledgerkeep-badger", true), NioIoHandler.newFactory());
  }

  ManagedChannel channel() {
    return channel;
  }

  /**
   * Connects at the next call, however long gRPC would have waited after the last failure, with the
   * certificates that lie there by now.
   */
  void retryNow() {
    credentials.ifPresent(Credentials::renew);
    channel.resetConnectBackoff();
  }

  /** Ends the connection and its thread. */
  @Override
  public void close() {
    channel.shutdownNow();
    end(loop);
  }

  private static void end(EventLoopGroup loop) {
    boolean ended =
        loop.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS)
            .awaitUninterruptibly(2 * SHUTDOWN_SECONDS, TimeUnit.SECONDS);
    if (!ended) {
      LOG.warn("the connection to the Badger sidecar does not end");
    }
  }
}
