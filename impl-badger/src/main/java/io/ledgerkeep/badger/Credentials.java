package io.ledgerkeep.badger;

import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.ledgerkeep.badger.BadgerConfig.Tls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificates and the key of a client, which may be replaced while it runs: those that lie
 * there serve the next connection. While they cannot be used, as in the middle of being replaced,
 * those read before do.
 */
final class Credentials {

  private static final Logger LOG = LoggerFactory.getLogger(Credentials.class);

  private final Tls tls;
  private final AdvancedTlsX509KeyManager ours = new AdvancedTlsX509KeyManager();
  private final AdvancedTlsX509TrustManager theirs;

  // Guarded by this. When the files were written that are in use.
  private List<FileTime> inUse = List.of();

  private Credentials(Tls tls) throws GeneralSecurityException {
    this.tls = tls;
    this.theirs = AdvancedTlsX509TrustManager.newBuilder().build();
  }

  static Credentials read(Tls tls) throws IOException, GeneralSecurityException {
    Credentials credentials = new Credentials(tls);
    credentials.readChanged();
    return credentials;
  }

  SslContext context() throws SSLException {
    return GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
        .protocols("TLSv1.3")
        .keyManager(ours)
        .trustManager(theirs)
        .build();
  }

  /** Reads the files again if they were replaced. */
  void renew() {
    try {
      readChanged();
    } catch (IOException | GeneralSecurityException e) {
      LOG.warn(
          "the files of tls-certificate, tls-key and tls-ca cannot be used as they are now: {}",
          e.getMessage());
    }
  }

  private synchronized void readChanged() throws IOException, GeneralSecurityException {
    List<FileTime> written = new ArrayList<>();
    for (Path file : List.of(tls.certificate(), tls.key(), tls.authority())) {
      written.add(Files.getLastModifiedTime(file));
    }
    if (!written.equals(inUse)) {
      ours.updateIdentityCredentials(tls.certificate().toFile(), tls.key().toFile());
      theirs.updateTrustCredentials(tls.authority().toFile());
      inUse = written;
    }
  }
}
