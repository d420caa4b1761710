package io.ledgerkeep.core.chain;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;

/**
 * What a maintenance job has begun and not finished; the next job finishes or discards it first.
 *
 * @param step what was begun
 * @param attempt names the objects of the archive that the attempt may have left, or empty
 * @param firstHeight the lowest height it is about
 * @param lastHeight the highest height it is about
 */
public record JobRecord(Step step, Bytes attempt, long firstHeight, long lastHeight) {

  /** What can be interrupted. */
  public enum Step {
    /** A segment is written and checked; the attempt's object is discarded. */
    WRITE(1, "archive"),
    /** Archived bodies are deleted and their space is given back; to be finished. */
    DELETE(2, "archive"),
    /** Bodies are brought back; rows at or below the pivot are discarded. */
    RESTORE(3, "restore"),
    /**
     * A segment is sealed anew; the attempt's object, or else the one it replaced, is discarded.
     */
    REPLACE(4, "reencrypt");

    private final int code;
    private final String job;

    Step(int code, String job) {
      this.code = code;
      this.job = job;
    }

    /** Returns the name of the job. */
    public String job() {
      return job;
    }

    private static Step of(int code, ByteReader in) {
      for (Step step : values()) {
        if (step.code == code) {
          return step;
        }
      }
      throw in.damaged("there is no step " + code);
    }
  }

  Bytes encode() {
    return new ByteWriter(64).u8(step.code).sized(attempt).u64(firstHeight).u64(lastHeight).take();
  }

  static JobRecord decode(Bytes record) {
    ByteReader in = new ByteReader(record, "the record of a job");
    JobRecord job = new JobRecord(Step.of(in.u8(), in), in.sized(), in.u64(), in.u64());
    in.end();
    return job;
  }
}
