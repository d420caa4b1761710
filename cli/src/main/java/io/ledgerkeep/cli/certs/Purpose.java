package io.ledgerkeep.cli.certs;

import com.google.common.net.InetAddresses;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a certificate is for: the hosts that it names, and what its key may be used for. */
final class Purpose {

  /** Kinds of alternative names, RFC 5280. */
  private static final int DNS = 2;

  private static final int ADDRESS = 7;

  private Purpose() {}

  /** Returns the names and addresses of hosts. */
  static List<String> hosts(X509Certificate certificate) {
    try {
      Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      return names == null
          ? List.of()
          : names.stream()
              .filter(name -> name.get(0).equals(DNS) || name.get(0).equals(ADDRESS))
              .map(name -> String.valueOf(name.get(1)).toLowerCase(Locale.ROOT))
              .toList();
    } catch (CertificateParsingException e) {
      return List.of();
    }
  }

  /** Returns whether names are those of a host, by RFC 6125: a star is one whole label. */
  static boolean isFor(List<String> names, String host) {
    String name = canonical(host.toLowerCase(Locale.ROOT));
    int dot = name.indexOf('.');
    String withStar = "*" + (dot < 0 ? "" : name.substring(dot));
    boolean isAddress = InetAddresses.isInetAddress(name);
    return names.stream()
        .map(Purpose::canonical)
        .anyMatch(each -> each.equals(name) || (dot > 0 && !isAddress && each.equals(withStar)));
  }

  /** An address of version 6 can be written in many ways. No name is looked up. */
  private static String canonical(String host) {
    return InetAddresses.isInetAddress(host)
        ? InetAddresses.forString(host).getHostAddress()
        : host;
  }

  /** Returns, in words, what a certificate is for and the next in its place is not. */
  static Optional<String> lost(X509Certificate former, X509Certificate next) {
    List<String> lost = new ArrayList<>(hosts(former));
    lost.removeAll(hosts(next));
    if (lacksUsage(former.getKeyUsage(), next.getKeyUsage())) {
      lost.add("a key usage");
    }
    if (lacksExtendedUsage(former, next)) {
      lost.add("an extended key usage");
    }
    return lost.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", lost));
  }

  /** One that states none may be used for all. */
  private static boolean lacksUsage(boolean @Nullable [] former, boolean @Nullable [] next) {
    if (former == null || next == null) {
      return false;
    }
    for (int bit = 0; bit < former.length; bit++) {
      if (former[bit] && !next[bit]) {
        return true;
      }
    }
    return false;
  }

  private static boolean lacksExtendedUsage(X509Certificate former, X509Certificate next) {
    try {
      List<String> now = next.getExtendedKeyUsage();
      List<String> before = former.getExtendedKeyUsage();
      return now != null && before != null && !now.containsAll(before);
    } catch (CertificateParsingException e) {
      return true;
    }
  }
}
