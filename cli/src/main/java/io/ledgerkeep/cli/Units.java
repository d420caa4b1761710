package io.ledgerkeep.cli;

import java.time.Duration;
import java.util.Locale;

/** Writes sizes and times the way people read them. */
public final class Units {

  /** Rates and sizes are told in decimal units, as disks and networks are sold. */
  static final long MEGABYTE = 1_000_000;

  private static final String[] NAMES = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

  private Units() {}

  public static String bytes(long bytes) {
    double value = Math.abs((double) bytes);
    int unit = 0;
    while (value >= 999.95 && unit < NAMES.length - 1) {
      value /= 1000;
      unit++;
    }
    String number = unit == 0 ? Long.toString(Math.abs(bytes)) : decimal(value);
    return (bytes < 0 ? "-" : "") + number + " " + NAMES[unit];
  }

  public static String rate(long bytesPerSecond) {
    return bytes(bytesPerSecond) + "/s";
  }

  public static String duration(Duration duration) {
    long seconds = duration.toSeconds();
    if (seconds < 60) {
      return decimal(duration.toMillis() / 1000.0) + " s";
    }
    if (seconds < 3600) {
      return seconds / 60 + " min " + seconds % 60 + " s";
    }
    return seconds / 3600 + " h " + seconds % 3600 / 60 + " min";
  }

  public static String blocks(long count) {
    return counted(count, "block");
  }

  public static String counted(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
