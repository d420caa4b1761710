package io.ledgerkeep.core.segment;

import com.google.common.primitives.Ints;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.encryption.CipherSuite;
import java.util.Arrays;
import java.util.List;

/** Where each frame of a segment is, and the digest that proves it. Immutable. */
final class FrameTable {

  private static final int MIN_ENTRY_BYTES = 2 + Digests.SIZE;

  /** What sealing makes of a frame at most, whatever the suite. */
  private static final int MAX_SEALED_BYTES = 2 * SegmentFormat.FRAME_BYTES;

  private final String segment;
  private final long[] rawBytes;
  // By the place of a frame in the file; one more offset than frames.
  private final Stream[] streams;
  private final long[] offsets;
  private final Bytes[] digests;
  // By stream, the places in the file of its frames; and by place, the place in the stream.
  private final int[][] ofStream;
  private final int[] inStream;

  private FrameTable(
      String segment, long[] rawBytes, Stream[] streams, long[] offsets, Bytes[] digests) {
    this.segment = segment;
    this.rawBytes = rawBytes;
    this.streams = streams;
    this.offsets = offsets;
    this.digests = digests;
    ofStream = new int[Stream.COUNT][];
    inStream = new int[streams.length];
    int[] counts = new int[Stream.COUNT];
    for (Stream stream : streams) {
      counts[stream.index()]++;
    }
    for (int s = 0; s < Stream.COUNT; s++) {
      ofStream[s] = new int[counts[s]];
    }
    Arrays.fill(counts, 0);
    for (int i = 0; i < streams.length; i++) {
      int s = streams[i].index();
      inStream[i] = counts[s]++;
      ofStream[s][inStream[i]] = i;
    }
  }

  /** Returns the number of frames. */
  int size() {
    return streams.length;
  }

  /** Returns the decoded size of a stream. */
  long rawBytes(Stream stream) {
    return rawBytes[stream.index()];
  }

  /** Returns the number of frames of a stream. */
  int frames(Stream stream) {
    return ofStream[stream.index()].length;
  }

  /** Returns the place in the file of the frame of a stream. */
  int frame(Stream stream, int index) {
    return ofStream[stream.index()][index];
  }

  /** Returns the places in the file of the frames that hold a part of a stream. */
  List<Integer> frames(Stream stream, long from, long until) {
    int first = (int) (from >> SegmentFormat.FRAME_SHIFT);
    int behind = (int) ((until + SegmentFormat.FRAME_BYTES - 1) >> SegmentFormat.FRAME_SHIFT);
    return from == until ? List.of() : Ints.asList(ofStream[stream.index()]).subList(first, behind);
  }

  /** Returns where the frame begins in the file. */
  long offset(int frame) {
    return offsets[frame];
  }

  /** Returns where the frame ends in the file. */
  long end(int frame) {
    return offsets[frame + 1];
  }

  /** Returns the digest of header and stored bytes of the frame. */
  Bytes digest(int frame) {
    return digests[frame];
  }

  /** Returns the header that the frame has to have, flags aside. */
  FrameHeader header(int frame) {
    Stream stream = streams[frame];
    long firstRaw = (long) inStream[frame] << SegmentFormat.FRAME_SHIFT;
    int raw = (int) Math.min(SegmentFormat.FRAME_BYTES, rawBytes(stream) - firstRaw);
    int stored = (int) (end(frame) - offset(frame)) - FrameHeader.BYTES;
    return new FrameHeader(stream, 0, frame, raw, stored, firstRaw);
  }

  /**
   * Reads the table.
   *
   * @param isSealed whether the frames are; by which suite, and so how long they are then, only the
   *     archive key tells
   */
  static FrameTable readFrom(ByteReader in, String segment, long footerOffset, boolean isSealed) {
    int min = isSealed ? 1 + CipherSuite.TAG_BYTES : 1;
    int max = isSealed ? MAX_SEALED_BYTES : SegmentFormat.FRAME_BYTES;
    long[] rawBytes = new long[Stream.COUNT];
    for (int s = 0; s < Stream.COUNT; s++) {
      rawBytes[s] = in.varint();
    }
    long count = in.varint();
    if (count > in.left() / MIN_ENTRY_BYTES) {
      throw in.damaged("a frame table of " + count + " frames does not fit");
    }
    Stream[] streams = new Stream[(int) count];
    long[] offsets = new long[(int) count + 1];
    Bytes[] digests = new Bytes[(int) count];
    offsets[0] = SegmentHeader.BYTES;
    for (int i = 0; i < count; i++) {
      Stream stream = Stream.ofCode(in.u8());
      long stored = in.varint();
      if (stream == null || stored < min || stored > max) {
        throw in.damaged("entry " + i + " of the frame table is out of range");
      }
      streams[i] = stream;
      offsets[i + 1] = offsets[i] + FrameHeader.BYTES + stored;
      digests[i] = in.raw(Digests.SIZE);
    }
    FrameTable table = new FrameTable(segment, rawBytes, streams, offsets, digests);
    table.requireWhole(footerOffset);
    return table;
  }

  private void requireWhole(long footerOffset) {
    SegmentFormat.expect(segment, "end of the last frame", footerOffset, offsets[size()]);
    for (int s = 0; s < Stream.COUNT; s++) {
      long frames = ofStream[s].length;
      if (rawBytes[s] > frames << SegmentFormat.FRAME_SHIFT
          || (frames > 0 && rawBytes[s] <= (frames - 1) << SegmentFormat.FRAME_SHIFT)) {
        throw SegmentFormat.damaged(
            segment, frames + " frames do not make up stream " + (s + 1) + " of " + rawBytes[s]);
      }
    }
  }

  /** Collects the table while frames are written. For one thread. */
  static final class Builder {

    private final long[] rawBytes = new long[Stream.COUNT];
    private final ByteWriter entries = new ByteWriter(1 << 12);
    private int count;

    void add(FrameHeader header, Bytes digest) {
      rawBytes[header.stream().index()] += header.rawBytes();
      entries.u8(header.stream().code()).varint(header.storedBytes()).raw(digest);
      count++;
    }

    long rawBytes(Stream stream) {
      return rawBytes[stream.index()];
    }

    /** Writes the table; the builder cannot be used any more. */
    void writeTo(ByteWriter out) {
      for (long raw : rawBytes) {
        out.varint(raw);
      }
      out.varint(count).raw(entries.take());
    }
  }
}
