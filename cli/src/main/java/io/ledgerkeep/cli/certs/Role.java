package io.ledgerkeep.cli.certs;

import java.util.List;

/** Whose a certificate is, as its file's name says. */
public enum Role {
  /** The chain's own: signs those of organisations. */
  CHAIN(List.of("ca")),
  /** An organisation's: signs those of nodes and SDKs. */
  ORGANISATION(List.of("agency")),
  /** A node's. */
  NODE(List.of("node", "ssl", "enssl")),
  /** That of who speaks to a node. */
  SDK(List.of("sdk", "ensdk")),
  /** The name says nothing. */
  OTHER(List.of());

  private final List<String> names;

  Role(List<String> names) {
    this.names = names;
  }

  /** Returns the role of a file's name without its ending and its prefix of SM2. */
  static Role of(String name) {
    for (Role role : values()) {
      if (role.names.contains(name)) {
        return role;
      }
    }
    return OTHER;
  }

  boolean signs() {
    return this == CHAIN || this == ORGANISATION;
  }
}
