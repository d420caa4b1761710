package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.Units;
import io.ledgerkeep.cli.monitor.Machine.Room;
import java.util.Optional;

/**
 * How much of a disk is to stay free.
 *
 * @param number of bytes, or of hundredths of the disk
 * @param percent which of both
 */
public record MinFree(long number, boolean percent) {

  private static final int WHOLE = 100;

  /** Returns what {@code 5000000000} or {@code 10%} says; empty where it is neither. */
  public static Optional<MinFree> of(String text) {
    if (text.matches("[0-9]{1,18}")) {
      return Optional.of(new MinFree(Long.parseLong(text), false));
    }
    if (text.matches("[0-9]{1,2}%|100%")) {
      return Optional.of(new MinFree(Long.parseLong(text.substring(0, text.length() - 1)), true));
    }
    return Optional.empty();
  }

  /** Returns whether a disk has that much free, or more. */
  public boolean isKeptBy(Room room) {
    return percent
        ? (double) room.freeBytes() * WHOLE >= (double) number * room.totalBytes()
        : room.freeBytes() >= number;
  }

  /** Returns the limit in words. */
  @Override
  public String toString() {
    return percent ? number + " %" : Units.bytes(number);
  }
}
