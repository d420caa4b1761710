package io.ledgerkeep.core.segment;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdException;
import io.ledgerkeep.Bytes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides once per job whether its segments get a dictionary: it is trained from the first frames
 * of data and kept if it saves enough on those that follow. For one writer at a time.
 */
public final class DictionaryTrainer {

  /** 1.6 MiB: about a hundred times the dictionary, as zstd advises. */
  private static final int TRAINING_FRAMES = 25;

  private static final int TRIAL_FRAMES = 64;
  private static final int SAMPLE_BYTES = 4 << 10;
  private static final int MIN_SAVING_PERCENT = 2;

  private boolean decided;
  private @Nullable Dictionary dictionary;

  /** Creates a trainer for a job; nothing is decided. */
  public DictionaryTrainer() {}

  /** Returns a trainer that has decided against a dictionary. */
  public static DictionaryTrainer none() {
    DictionaryTrainer trainer = new DictionaryTrainer();
    trainer.decided = true;
    return trainer;
  }

  boolean isDecided() {
    return decided;
  }

  /** Returns the dictionary, or null where there is none or nothing is decided yet. */
  @Nullable Dictionary dictionary() {
    return dictionary;
  }

  /** Returns the number of full frames that a decision needs. */
  static int framesNeeded() {
    return TRAINING_FRAMES + TRIAL_FRAMES;
  }

  /** Decides by the first frames of data. */
  void decide(List<byte[]> frames) {
    decided = true;
    Dictionary trained = train(samples(frames.subList(0, TRAINING_FRAMES)));
    if (trained == null) {
      return;
    }
    List<byte[]> trial = frames.subList(TRAINING_FRAMES, frames.size());
    long without = storedBytes(trial, null);
    long with = storedBytes(trial, trained) + trained.content().size();
    if (with * 100 <= without * (100 - MIN_SAVING_PERCENT)) {
      dictionary = trained;
    }
  }

  /** Returns a dictionary, or null where zstd finds nothing to put into one. */
  private static @Nullable Dictionary train(byte[][] samples) {
    byte[] content = new byte[SegmentFormat.MAX_DICTIONARY_BYTES];
    try {
      long size = Zstd.trainFromBuffer(samples, content);
      return Zstd.isError(size) ? null : new Dictionary(Bytes.wrap(content, 0, (int) size));
    } catch (ZstdException e) {
      return null;
    }
  }

  private static byte[][] samples(List<byte[]> frames) {
    List<byte[]> samples = new ArrayList<>();
    for (byte[] frame : frames) {
      for (int at = 0; at < frame.length; at += SAMPLE_BYTES) {
        samples.add(Arrays.copyOfRange(frame, at, at + SAMPLE_BYTES));
      }
    }
    return samples.toArray(new byte[0][]);
  }

  private static long storedBytes(List<byte[]> frames, @Nullable Dictionary dictionary) {
    long sum = 0;
    try (ZstdCompressCtx context = FrameEncoder.context(dictionary)) {
      byte[] target = new byte[(int) Zstd.compressBound(SegmentFormat.FRAME_BYTES)];
      for (byte[] frame : frames) {
        sum += context.compressByteArray(target, 0, target.length, frame, 0, frame.length);
      }
    }
    return sum;
  }
}
