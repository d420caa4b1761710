package io.ledgerkeep.core.archive;

import io.ledgerkeep.Bytes;
import java.util.regex.Pattern;

/**
 * The names of the objects of one ledger's archive.
 *
 * <pre>
 * GENESIS/LEDGER/manifest/%016d.json             entries, from 0
 * GENESIS/LEDGER/segments/%020d-ATTEMPT.lks      first height, attempt
 * </pre>
 *
 * <p>GENESIS is the genesis hash, LEDGER and ATTEMPT are random identities, all in hexadecimal
 * digits: many nodes of many chains share a place, and what a dead attempt left is known by its
 * name.
 *
 * @param genesisHash the identity of the chain
 * @param ledgerId the identity of the ledger
 */
public record ArchiveNames(Bytes genesisHash, Bytes ledgerId) {

  private static final Pattern ATTEMPT = Pattern.compile("[0-9a-f]{32}\\.lks");

  /** Returns what all names of the archive begin with. */
  public String prefix() {
    return genesisHash.hex() + "/" + ledgerId.hex() + "/";
  }

  /** Returns the name of a segment. */
  public String segment(long firstHeight, Bytes attempt) {
    return prefix() + "segments/%020d-%s.lks".formatted(firstHeight, attempt.hex());
  }

  /** Returns whether the name is one of a segment that begins at the height. */
  boolean isSegment(String name, long firstHeight) {
    String start = prefix() + "segments/%020d-".formatted(firstHeight);
    return name.startsWith(start) && ATTEMPT.matcher(name.substring(start.length())).matches();
  }

  String manifest() {
    return prefix() + "manifest/";
  }

  String entry(long sequence) {
    return manifest() + "%016d.json".formatted(sequence);
  }
}
