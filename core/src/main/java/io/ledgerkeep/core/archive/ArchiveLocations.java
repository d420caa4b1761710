package io.ledgerkeep.core.archive;

import com.google.common.base.Splitter;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.error.ConfigurationException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/** Finds the archives at a place, which many ledgers of many chains may share. */
public final class ArchiveLocations {

  private ArchiveLocations() {}

  /**
   * Returns the one archive meant.
   *
   * @param wanted {@code GENESIS} or {@code GENESIS/LEDGER} in hexadecimal digits, or beginnings of
   *     them; empty where the place holds only one
   * @throws ConfigurationException if there is none, or more than one is meant
   */
  public static ArchiveNames find(ArchiveStore store, Optional<String> wanted) {
    return find(store, wanted, Optional.empty());
  }

  /** Returns the one archive meant, which is not that of the given ledger. */
  public static ArchiveNames find(
      ArchiveStore store, Optional<String> wanted, Optional<Bytes> not) {
    String beginning = wanted.orElse("").toLowerCase(Locale.ROOT);
    String ofNot = not.map(id -> "/" + id.hex()).orElse("/");
    List<String> found =
        all(store).stream().filter(id -> matches(id, beginning) && !id.endsWith(ofNot)).toList();
    if (found.size() == 1) {
      List<String> parts = Splitter.on('/').splitToList(found.get(0));
      return new ArchiveNames(Bytes.fromHex(parts.get(0)), Bytes.fromHex(parts.get(1)));
    }
    throw new ConfigurationException(
        found.isEmpty()
            ? "there is no archive"
                + wanted.map(ledger -> " of ledger " + ledger).orElse("")
                + " in "
                + store.place()
            : "%s holds the archives of %s ledgers; choose one (--ledger GENESIS/LEDGER, or --of for a source): %s"
                .formatted(store.place(), found.size(), String.join(", ", found)));
  }

  /** Returns {@code GENESIS/LEDGER} of all archives, in order. */
  private static List<String> all(ArchiveStore store) {
    TreeSet<String> ledgers = new TreeSet<>();
    for (String name : store.list("")) {
      List<String> parts = Splitter.on('/').splitToList(name);
      if (parts.size() == 4
          && parts.get(2).equals("manifest")
          && isHex(parts.get(0))
          && isHex(parts.get(1))) {
        ledgers.add(parts.get(0) + "/" + parts.get(1));
      }
    }
    return List.copyOf(ledgers);
  }

  private static boolean matches(String id, String wanted) {
    int slash = wanted.indexOf('/');
    if (slash < 0) {
      return id.startsWith(wanted);
    }
    int idSlash = id.indexOf('/');
    return id.substring(0, idSlash).startsWith(wanted.substring(0, slash))
        && id.substring(idSlash + 1).startsWith(wanted.substring(slash + 1));
  }

  private static boolean isHex(String text) {
    return !text.isEmpty() && text.length() % 2 == 0 && text.matches("[0-9a-f]+");
  }
}
