package io.ledgerkeep.cli.certs;

/** Whose a certificate is, as its file's name says. */
public enum Role {
  /** The chain's own: signs those of organisations. */
  CHAIN,
  /** An organisation's: signs those of nodes and SDKs. */
  ORGANISATION,
  /** A node's. */
  NODE,
  /** That of who speaks to a node. */
  SDK,
  /** The name says nothing. */
  OTHER;

  /** Returns the role of a file's name without its ending and its prefix of SM2. */
  static Role of(String name) {
    return switch (name) {
      case "ca" -> CHAIN;
      case "agency" -> ORGANISATION;
      case "node", "ssl", "enssl" -> NODE;
      case "sdk", "ensdk" -> SDK;
      default -> OTHER;
    };
  }

  boolean signs() {
    return this == CHAIN || this == ORGANISATION;
  }
}
