package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;

/** Reads bytes and frames of one segment from its store. Serves any number of threads. */
final class FrameSource {

  /** Frames are read together while the span in the file stays below this. */
  private static final int MAX_RUN_BYTES = 1 << 20;

  private static final int MAX_RUN_FRAMES = 16;

  /** What lies between two frames is read along up to this. */
  private static final int MAX_GAP_BYTES = 64 << 10;

  private final ArchiveStore store;
  private final String name;
  private final LongAdder bytesRead = new LongAdder();

  FrameSource(ArchiveStore store, String name) {
    this.store = store;
    this.name = name;
  }

  String name() {
    return name;
  }

  /** Returns the name and where it is, for messages. */
  String nameAndPlace() {
    return "segment " + name + " in " + store.place();
  }

  /** Returns the number of bytes read from the store. */
  long bytesRead() {
    return bytesRead.sum();
  }

  /** Returns exactly the bytes asked for. */
  Bytes read(long offset, int length) {
    Bytes bytes = store.get(name, offset, length);
    bytesRead.add(bytes.size());
    if (bytes.size() != length) {
      throw SegmentFormat.damaged(
          name, length + " bytes were expected at " + offset + ", found " + bytes.size());
    }
    return bytes;
  }

  Bytes readFrame(FrameTable table, int frame) {
    return read(table.offset(frame), (int) (table.end(frame) - table.offset(frame)));
  }

  /** Does something with the stored bytes of a frame. */
  @FunctionalInterface
  interface FrameTask<R> {

    /** Returns what was made of the frame. */
    R of(int frame, Bytes stored);
  }

  /**
   * Reads frames ahead on the executor, several with one read where they lie together, and hands
   * out in their order what the task makes of each.
   */
  <R> ReadAhead<R> readAhead(
      FrameTable table, List<Integer> frames, Executor executor, FrameTask<R> task) {
    return new ReadAhead<>(table, frames, executor, task);
  }

  /** An iterator over frames that is to be closed. For one thread. */
  final class ReadAhead<R> implements Iterator<R>, AutoCloseable {

    private final FrameTable table;
    private final List<Integer> frames;
    private final FrameTask<R> task;
    private final OrderedPipeline<List<R>> pipeline;
    private int submitted;
    private Iterator<R> ready = Collections.emptyIterator();

    private ReadAhead(
        FrameTable table, List<Integer> frames, Executor executor, FrameTask<R> task) {
      this.table = table;
      this.frames = frames;
      this.task = task;
      pipeline = new OrderedPipeline<>(executor);
    }

    @Override
    public boolean hasNext() {
      return ready.hasNext() || !pipeline.isEmpty() || submitted < frames.size();
    }

    @Override
    public R next() {
      while (!ready.hasNext()) {
        while (submitted < frames.size() && !pipeline.isFull()) {
          submitRun();
        }
        if (pipeline.isEmpty()) {
          throw new NoSuchElementException();
        }
        ready = pipeline.take().iterator();
      }
      return ready.next();
    }

    @Override
    public void close() {
      pipeline.close();
      ready = Collections.emptyIterator();
      submitted = frames.size();
    }

    private void submitRun() {
      int from = submitted;
      int until = from + 1;
      while (until < frames.size() && until - from < MAX_RUN_FRAMES && fits(from, until)) {
        until++;
      }
      List<Integer> run = frames.subList(from, until);
      submitted = until;
      pipeline.submit((long) run.size() * SegmentFormat.FRAME_BYTES, () -> readRun(run));
    }

    private boolean fits(int from, int next) {
      long gap = table.offset(frames.get(next)) - table.end(frames.get(next - 1));
      long span = table.end(frames.get(next)) - table.offset(frames.get(from));
      return gap <= MAX_GAP_BYTES && span <= MAX_RUN_BYTES;
    }

    private List<R> readRun(List<Integer> run) {
      long start = table.offset(run.get(0));
      Bytes bytes = read(start, (int) (table.end(run.get(run.size() - 1)) - start));
      List<R> results = new ArrayList<>(run.size());
      for (int frame : run) {
        int from = (int) (table.offset(frame) - start);
        int until = (int) (table.end(frame) - start);
        results.add(task.of(frame, bytes.slice(from, until)));
      }
      return results;
    }
  }
}
