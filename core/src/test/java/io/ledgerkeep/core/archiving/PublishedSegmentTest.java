package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the store made of a segment is read back before the manifest names it, and what it made of
 * the manifest before anything is deleted: a store that keeps something else than it was given
 * costs no block.
 */
final class PublishedSegmentTest {

  private static final int TARGET = 40;

  @TempDir Path directory;

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore sound = new InMemoryArchiveStore();
  private final List<Block> blocks = SampleChain.ofSeed(12).blocks(60).toList();

  /** The first is in the first frame, the others in ever later ones. */
  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.3, 0.6, 0.9, 0.99})
  void aSegmentThatTheStoreSpoiledIsNotListedAndNothingIsDeleted(double place) {
    try (Ledger ledger =
        open(new ChangingStore(sound, ".lks", segment -> flippedAt(segment, place)))) {
      ledger.commitAll(blocks);
      assertRefused(ledger);
    }
    assertTheNextRunSucceeds();
  }

  @Test
  void aSealedSegmentOfFewerBlocksInItsPlaceIsNotListedAndNothingIsDeleted() {
    List<Bytes> written = new ArrayList<>();
    ChangingStore store =
        new ChangingStore(
            sound,
            ".lks",
            segment -> {
              written.add(segment);
              return written.size() == 1 ? flippedAt(segment, 0.5) : written.get(0);
            });
    try (Ledger ledger = open(store)) {
      ledger.commitAll(blocks);
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(TARGET / 2)))
          .isInstanceOf(IntegrityException.class);
      assertRefused(ledger);
    }
    assertTheNextRunSucceeds();
  }

  /** Whichever bit of the entry the store turned over, the bodies are still here. */
  @Test
  void aManifestEntryThatTheStoreSpoiledIsNotReliedOn() {
    long bits = 8L * lengthOfTheFirstEntryWithASegment();
    for (long bit = 0; bit < bits; bit += 61) {
      long spoiled = bit;
      InMemoryArchiveStore place = new InMemoryArchiveStore();
      ChangingStore store = new ChangingStore(place, "1.json", entry -> flipped(entry, spoiled));
      try (Ledger ledger = open(directory.resolve("bit" + bit), new MemoryDisk(), store)) {
        ledger.commitAll(blocks);
        assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(TARGET)))
            .as("bit %d", bit)
            .isInstanceOf(LedgerkeepException.class);
        assertThat(ledger.archivedHeight()).as("bit %d", bit).isZero();
        assertThat(ledger.block(1)).contains(blocks.get(1));
        store.change = UnaryOperator.identity();
        ledger.archiver().archive(ArchiveRequest.upTo(TARGET));
        assertThat(ledger.archivedHeight()).as("once the store is sound").isEqualTo(TARGET);
      }
    }
  }

  private long lengthOfTheFirstEntryWithASegment() {
    InMemoryArchiveStore place = new InMemoryArchiveStore();
    try (Ledger ledger = open(directory.resolve("sound"), new MemoryDisk(), place.reopen())) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(TARGET));
    }
    String entry =
        place.list("").stream().filter(name -> name.endsWith("1.json")).findFirst().orElseThrow();
    return place.size(entry).orElseThrow();
  }

  private void assertRefused(Ledger ledger) {
    assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(TARGET)))
        .isInstanceOf(IntegrityException.class);
    assertThat(ledger.archivedHeight()).isZero();
    assertThat(ledger.archive().segments()).isEmpty();
    for (Block block : blocks) {
      assertThat(ledger.block(block.height())).contains(block);
    }
  }

  /** Nothing of the refused segment is in the way, and nothing of it is left. */
  private void assertTheNextRunSucceeds() {
    try (Ledger ledger = open(sound.reopen())) {
      ledger.archiver().archive(ArchiveRequest.upTo(TARGET));
      assertThat(ledger.archivedHeight()).isEqualTo(TARGET);
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
    }
    assertThat(sound.list("")).filteredOn(name -> name.endsWith(".lks")).hasSize(1);
  }

  private static Bytes flippedAt(Bytes segment, double place) {
    return flipped(segment, 8L * (long) (segment.size() * place));
  }

  private static Bytes flipped(Bytes object, long bit) {
    byte[] bytes = object.toArray();
    bytes[(int) (bit / 8)] ^= (byte) (1 << bit % 8);
    return Bytes.wrap(bytes);
  }

  private Ledger open(ArchiveStore archive) {
    return open(directory, disk, archive);
  }

  private static Ledger open(Path directory, MemoryDisk disk, ArchiveStore archive) {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(new InMemoryStorage(disk), Options.none())
        .archiveStore(archive)
        .unarchivedBlocks(10)
        .reserveBytes(0)
        .open();
  }

  /** Keeps something else than it is given where the name ends so. */
  static final class ChangingStore implements ArchiveStore {

    private final InMemoryArchiveStore sound;
    private final String ending;
    private UnaryOperator<Bytes> change;

    ChangingStore(InMemoryArchiveStore sound, String ending, UnaryOperator<Bytes> change) {
      this.sound = sound;
      this.ending = ending;
      this.change = change;
    }

    @Override
    public void put(String name, Content content) {
      sound.put(
          name,
          out -> {
            if (name.endsWith(ending)) {
              change.apply(whole(content)).writeTo(out);
            } else {
              content.writeTo(out);
            }
          });
    }

    private static Bytes whole(Content content) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      content.writeTo(bytes);
      return Bytes.wrap(bytes.toByteArray());
    }

    @Override
    public String place() {
      return sound.place();
    }

    @Override
    public OptionalLong size(String name) {
      return sound.size(name);
    }

    @Override
    public Bytes get(String name, long offset, int length) {
      return sound.get(name, offset, length);
    }

    @Override
    public List<String> list(String prefix) {
      return sound.list(prefix);
    }

    @Override
    public void delete(String name) {
      sound.delete(name);
    }

    @Override
    public void close() {
      // The place outlives this.
    }
  }
}
