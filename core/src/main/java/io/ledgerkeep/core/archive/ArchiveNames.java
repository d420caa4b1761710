package io.ledgerkeep.core.archive;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.sealing.KeyObject;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The names of the objects of one ledger's archive.
 *
 * <pre>
 * GENESIS/LEDGER/manifest/%016d.json             entries, from 0
 * GENESIS/LEDGER/segments/%020d-ATTEMPT.lks      first height, attempt
 * GENESIS/LEDGER/keys/%08d-HOLDER.json           archive key, from 1, and who holds it
 * </pre>
 *
 * <p>GENESIS is the genesis hash, LEDGER, ATTEMPT and HOLDER are random identities, all in
 * hexadecimal digits: many nodes of many chains share a place, and what a dead attempt left is
 * known by its name.
 *
 * @param genesisHash the identity of the chain
 * @param ledgerId the identity of the ledger
 */
public record ArchiveNames(Bytes genesisHash, Bytes ledgerId) {

  private static final Pattern ENTRY = Pattern.compile("[0-9]{16}\\.json");
  private static final Pattern KEY = Pattern.compile("[0-9]{8}-[0-9a-f]{32}\\.json");
  private static final Pattern ATTEMPT = Pattern.compile("[0-9a-f]{32}\\.lks");

  /** The highest number that an archive key can have. */
  static final int MAX_KEY = 99_999_999;

  /** Returns what all names of the archive begin with. */
  public String prefix() {
    return genesisHash.hex() + "/" + ledgerId.hex() + "/";
  }

  /** Returns the name of a segment. */
  public String segment(long firstHeight, Bytes attempt) {
    return segments() + format("%020d-%s.lks", firstHeight, attempt.hex());
  }

  /** Returns whether the name is one of a segment that begins at the height. */
  boolean isSegment(String name, long firstHeight) {
    String start = segments() + format("%020d-", firstHeight);
    return name.startsWith(start) && ATTEMPT.matcher(name.substring(start.length())).matches();
  }

  /** Returns what the names of all segments begin with. */
  public String segments() {
    return prefix() + "segments/";
  }

  /** Returns whether the name is one of a segment that the attempt wrote. */
  public static boolean isOfAttempt(String name, Bytes attempt) {
    return name.endsWith("-" + attempt.hex() + ".lks");
  }

  String manifest() {
    return prefix() + "manifest/";
  }

  String entry(long sequence) {
    return manifest() + format("%016d.json", sequence);
  }

  /** Returns whether the name is one of an entry; whatever else lies there is not ours. */
  boolean isEntry(String name) {
    return name.startsWith(manifest())
        && ENTRY.matcher(name.substring(manifest().length())).matches();
  }

  String keys() {
    return prefix() + "keys/";
  }

  String key(KeyObject key) {
    return keys() + format("%08d-%s.json", key.number(), key.holder().hex());
  }

  /** Returns whether the name is one of a key object. */
  boolean isKey(String name) {
    return name.startsWith(keys()) && KEY.matcher(name.substring(keys().length())).matches();
  }

  /** Returns the holder that the name of a key object says. */
  Bytes holder(String name) {
    return Bytes.fromHex(name.substring(keys().length() + 9, name.length() - ".json".length()));
  }

  /** A name is the same wherever it is made: digits are ASCII in every locale. */
  private static String format(String name, Object... parts) {
    return String.format(Locale.ROOT, name, parts);
  }
}
