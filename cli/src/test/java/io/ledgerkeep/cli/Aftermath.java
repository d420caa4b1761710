package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What has to hold whatever happened to a ledger in which a chain was. */
final class Aftermath {

  private final Place place;
  private final String chain;

  /**
   * Looks at a place.
   *
   * @param chain the interchange format of all blocks that were committed
   */
  Aftermath(Place place, String chain) {
    this.place = place;
    this.chain = chain;
  }

  /** Every block is on the node or in the archive: with both, all of them can be exported. */
  void assertNothingIsLost() {
    Run export = place.runWithArchive("export", "-");
    assertThat(export.exitCode()).as(export.err()).isZero();
    assertThat(export.out()).isEqualTo(chain);
    Run verify = place.runWithArchive("verify", "--level", "ledger");
    assertThat(verify.exitCode()).as(verify.out() + verify.err()).isZero();
  }

  void assertPivotIs(long pivot) {
    assertThat(place.run("status", "--json").json()).containsEntry("archivedHeight", pivot);
  }

  /** Back on the node alone, the chain is the one that was imported; nothing is left of the job. */
  void assertEqualAfterRestore() throws IOException {
    Run restore = place.runWithArchive("restore", "--down-to", 0, "--yes");
    assertThat(restore.exitCode()).as(restore.err()).isZero();
    assertThat(place.run("export", "-").out()).isEqualTo(chain);
    assertThat(place.run("status", "--json").json()).containsEntry("job", "");
    assertThat(segmentsOnDisk()).isSubsetOf(segmentsListed());
  }

  private List<String> segmentsOnDisk() throws IOException {
    if (!Files.exists(place.archive)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(place.archive)) {
      return files
          .filter(file -> file.toString().endsWith(".lks"))
          .map(file -> place.archive.relativize(file).toString())
          .toList();
    }
  }

  private List<String> segmentsListed() {
    try (Archive archive =
        Ledgerkeep.archive()
            .store("directory", Options.of("path", place.archive.toString()))
            .open()) {
      return archive.segments().stream().map(Archive.Segment::name).toList();
    } catch (ConfigurationException noArchiveYet) {
      return List.of();
    }
  }
}
