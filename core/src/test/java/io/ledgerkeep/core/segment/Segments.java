package io.ledgerkeep.core.segment;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/** Writes and reads segments for tests. */
final class Segments {

  static final String NAME = "segments/one";

  static final Bytes ID = Bytes.fromHex("000102030405060708090a0b0c0d0e0f");

  private final List<Block> blocks;
  private Executor executor = Runnable::run;
  private Fingerprint fingerprint = Fingerprint.DIGEST;
  private DictionaryTrainer trainer = new DictionaryTrainer();
  private Optional<ArchiveKey> key = Optional.empty();
  private Bytes attempt = ID;

  private Segments(List<Block> blocks) {
    this.blocks = blocks;
  }

  static Segments of(List<Block> blocks) {
    return new Segments(blocks);
  }

  Segments on(Executor newExecutor) {
    executor = newExecutor;
    return this;
  }

  Segments with(Fingerprint newFingerprint) {
    fingerprint = newFingerprint;
    return this;
  }

  Segments with(DictionaryTrainer newTrainer) {
    trainer = newTrainer;
    return this;
  }

  Segments under(ArchiveKey newKey) {
    key = Optional.of(newKey);
    return this;
  }

  Segments ofAttempt(Bytes newAttempt) {
    attempt = newAttempt;
    return this;
  }

  static SegmentWriter writer(OutputStream out, Block first) throws IOException {
    SegmentHeader header = new SegmentHeader(Digests.SHA256, first.hash(), ID, ID, 0);
    return new SegmentWriter(out, header, Bytes.EMPTY, new DictionaryTrainer(), Runnable::run);
  }

  static void add(SegmentWriter writer, Block block) throws IOException {
    writer.add(group(block, Fingerprint.DIGEST));
  }

  private static BlockGroup group(Block block, Fingerprint fingerprint) {
    BlockGroup.Builder group = new BlockGroup.Builder(Digests.SHA256, fingerprint);
    group.add(StoredBlock.of(block));
    return group.build();
  }

  byte[] write() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SegmentHeader header =
        new SegmentHeader(Digests.SHA256, genesisHash(), ID, attempt, blocks.get(0).height());
    try (SegmentWriter writer =
        new SegmentWriter(out, header, key, Bytes.EMPTY, trainer, executor)) {
      for (Block block : blocks) {
        writer.add(group(block, fingerprint));
      }
      writer.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private Bytes genesisHash() {
    return blocks.get(0).height() == 0 ? blocks.get(0).hash() : Bytes.ofUtf8("the genesis");
  }

  SegmentReader reader() {
    return reader(write(), fingerprint);
  }

  static SegmentReader reader(byte[] segment) {
    return reader(segment, Fingerprint.DIGEST);
  }

  static SegmentReader reader(byte[] segment, Fingerprint fingerprint) {
    return SegmentReader.open(
        new ByteStore(segment), NAME, new SegmentCache(16 << 20), fingerprint);
  }

  static SegmentReader reader(byte[] segment, ArchiveKeys keys) {
    return SegmentReader.open(new ByteStore(segment), NAME, new SegmentCache(16 << 20), keys);
  }

  /** Opens a segment and checks everything in it. */
  static List<Block> check(byte[] segment) {
    return check(reader(segment), Runnable::run);
  }

  static List<Block> check(SegmentReader reader, Executor executor) {
    List<Block> blocks = new ArrayList<>();
    SegmentCheck.content(reader, executor, (block, meta) -> blocks.add(block.decode()));
    return blocks;
  }
}
