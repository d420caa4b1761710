package io.ledgerkeep.logback;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.TimeBasedRollingPolicy;
import ch.qos.logback.core.status.Status;
import ch.qos.logback.core.util.FileSize;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;

/**
 * The log of a ledger, from {@link Builder#open} to {@link #close}: its lines, in the form of
 * {@link LedgerLayout}, go to a file that is rotated, compressed and capped, to standard error, or
 * to both. It works beside whatever else Logback is configured to do, and takes itself away when it
 * is closed.
 *
 * <p>The level can be changed at any time, by {@link #level(LogLevel)} or in a file that is
 * followed. May be used by any thread.
 *
 * <pre>{@code
 * try (LedgerLogs logs = LedgerLogs.builder().file(Path.of("log", "ledger.log")).open()) {
 *   ...
 *   logs.level(LogLevel.DEBUG);
 * }
 * }</pre>
 */
public final class LedgerLogs implements AutoCloseable {

  /** Makes an error fatal, as in {@code log.error(LedgerLogs.FATAL, "…")}. */
  public static final Marker FATAL = MarkerFactory.getMarker("FATAL");

  private static final String OURS = "io.ledgerkeep";

  /** Gets the level out of a file. */
  @FunctionalInterface
  public interface LevelReader {

    /**
     * Reads the level.
     *
     * @throws IOException if the file cannot be read
     * @throws ConfigurationException if there is no level in it
     */
    LogLevel read(Path file) throws IOException;
  }

  /** One place that lines go to. */
  private record Target(
      OutputStreamAppender<ILoggingEvent> appender, LevelGate gate, LogLevel least) {}

  private final LoggerContext context;
  private final boolean libraries;
  private final Logger attached;
  private final @Nullable Level levelBefore;
  private final @Nullable Level rootBefore;
  private final Optional<ClaimedFile> file;
  private final List<Target> targets = new ArrayList<>();
  private @Nullable LevelFollower follower;
  private volatile LogLevel level;
  private boolean closed;

  private LedgerLogs(Builder builder) {
    context = context();
    libraries = builder.libraries;
    level = builder.level;
    attached = libraries ? root() : ours();
    levelBefore = ours().getLevel();
    rootBefore = root().getLevel();
    file = Optional.ofNullable(builder.file).map(ClaimedFile::of);
    file.ifPresent(claimed -> attach(rolling(builder, claimed.path()), LogLevel.TRACE));
    if (builder.leastOnConsole != null) {
      attach(console(), builder.leastOnConsole);
    }
    level(level);
    if (builder.followed != null && builder.reader != null) {
      follower =
          new LevelFollower(
              builder.followed, builder.reader, builder.followedEvery, this, builder.nanoTime);
      follower.setContext(context);
      follower.start();
      context.addTurboFilter(follower);
    }
  }

  /** Returns a builder of a log at {@code info} that goes nowhere yet. */
  public static Builder builder() {
    return new Builder();
  }

  private static LoggerContext context() {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext context) {
      return context;
    }
    throw new ConfigurationException(
        "SLF4J is bound to %s, not to Logback: take other providers off the class path"
            .formatted(factory.getClass().getName()));
  }

  private Logger root() {
    return context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }

  private Logger ours() {
    return context.getLogger(OURS);
  }

  private void attach(OutputStreamAppender<ILoggingEvent> appender, LogLevel least) {
    LedgerLayout layout = new LedgerLayout();
    layout.setContext(context);
    layout.start();
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setContext(context);
    encoder.setCharset(StandardCharsets.UTF_8);
    encoder.setLayout(layout);
    encoder.start();
    LevelGate gate = new LevelGate(least);
    gate.start();
    appender.addFilter(gate);
    appender.setEncoder(encoder);
    appender.start();
    if (!appender.isStarted()) {
      close();
      throw new ConfigurationException("the log cannot be begun: " + lastWord());
    }
    attached.addAppender(appender);
    targets.add(new Target(appender, gate, least));
  }

  /** Returns what Logback said last, as it throws nothing. */
  private String lastWord() {
    List<Status> said = context.getStatusManager().getCopyOfStatusList();
    return said.isEmpty() ? "Logback does not say why" : said.get(said.size() - 1).getMessage();
  }

  private ConsoleAppender<ILoggingEvent> console() {
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    return appender;
  }

  private RollingFileAppender<ILoggingEvent> rolling(Builder builder, Path path) {
    RollingFileAppender<ILoggingEvent> appender = new RollingFileAppender<>();
    appender.setContext(context);
    appender.setFile(path.toString());
    String uncompressed = path + ".%d{yyyy-MM-dd}.%i";
    String pattern = builder.compress ? uncompressed + ".gz" : uncompressed;
    SizeAndDay naming = new SizeAndDay(pattern, uncompressed);
    naming.setMaxFileSize(new FileSize(builder.maxFileBytes));
    TimeBasedRollingPolicy<ILoggingEvent> policy = new TimeBasedRollingPolicy<>();
    policy.setContext(context);
    policy.setParent(appender);
    policy.setFileNamePattern(pattern);
    policy.setTimeBasedFileNamingAndTriggeringPolicy(naming);
    policy.setMaxHistory(builder.maxDays);
    policy.setTotalSizeCap(new FileSize(builder.maxTotalBytes));
    policy.setCleanHistoryOnStart(true);
    policy.start();
    appender.setRollingPolicy(policy);
    appender.setTriggeringPolicy(policy);
    return appender;
  }

  /** Returns the file that is written, if one is: another than asked for if that was taken. */
  public Optional<Path> file() {
    return file.map(ClaimedFile::path);
  }

  /** Returns from which level on lines are let pass. */
  public LogLevel level() {
    return level;
  }

  /** Lets lines pass from another level on, at once. */
  public synchronized void level(LogLevel newLevel) {
    if (closed) {
      return;
    }
    level = newLevel;
    targets.forEach(target -> target.gate().least(newLevel.orMore(target.least())));
    ours().setLevel(newLevel.logback());
    if (libraries) {
      root().setLevel(newLevel.orMore(LogLevel.WARNING).logback());
    }
  }

  /** Writes what is left, and leaves Logback as it was. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    context.getTurboFilterList().remove(follower);
    for (Target target : targets) {
      attached.detachAppender(target.appender());
      target.appender().stop();
    }
    ours().setLevel(levelBefore);
    if (libraries) {
      root().setLevel(rootBefore);
    }
    file.ifPresent(ClaimedFile::close);
  }

  /** What a log is to be like. */
  public static final class Builder {

    private LogLevel level = LogLevel.INFO;
    private @Nullable Path file;
    private long maxFileBytes = 100L << 20;
    private int maxDays = 365;
    private long maxTotalBytes = 2000L << 20;
    private boolean compress = true;
    private @Nullable LogLevel leastOnConsole;
    private boolean libraries;
    private @Nullable Path followed;
    private @Nullable LevelReader reader;
    private Duration followedEvery = Duration.ZERO;
    private LongSupplier nanoTime = System::nanoTime;

    private Builder() {}

    /** From which level on lines are let pass; {@code info} unless set. */
    public Builder level(LogLevel newLevel) {
      level = newLevel;
      return this;
    }

    /**
     * The file to write, in a directory that is made if it is not there. Where another process has
     * its log there, a number is put into the name.
     *
     * @throws ConfigurationException if Logback could not name files after it
     */
    public Builder file(Path path) {
      if (path.toString().contains("%") || path.toString().contains("\\")) {
        throw new ConfigurationException(
            "the path of the log must have neither '%' nor '\\': " + path);
      }
      file = path;
      return this;
    }

    /** At which size a file ends, as it does with the day; 100 MiB unless set. */
    public Builder maxFileBytes(long bytes) {
      maxFileBytes = positive("maxFileBytes", bytes);
      return this;
    }

    /** How many days files are kept that have ended; 365 unless set. */
    public Builder maxDays(int days) {
      maxDays = (int) positive("maxDays", days);
      return this;
    }

    /** How large these may be together, the oldest going first; 2000 MiB unless set. */
    public Builder maxTotalBytes(long bytes) {
      maxTotalBytes = positive("maxTotalBytes", bytes);
      return this;
    }

    /** Whether files that have ended are compressed, with gzip; true unless set. */
    public Builder compress(boolean compressed) {
      compress = compressed;
      return this;
    }

    /**
     * Writes to standard error too what the level lets pass.
     *
     * @param least but nothing below this
     */
    public Builder console(LogLevel least) {
      leastOnConsole = least;
      return this;
    }

    /**
     * Takes the lines of all loggers, not only those of the ledger. Of others there are none below
     * {@code warning}: what libraries tell of each step may show what they carry.
     */
    public Builder libraries() {
      libraries = true;
      return this;
    }

    /**
     * Sets the level anew whenever a file changes. Where that cannot be understood, the level
     * stays, with a warning.
     *
     * @param holder the file that has the level
     * @param levelReader gets the level out of it
     * @param every how often it is looked at, which happens only when something is logged
     */
    public Builder followLevel(Path holder, LevelReader levelReader, Duration every) {
      followed = holder;
      reader = levelReader;
      followedEvery = every;
      return this;
    }

    Builder nanoTime(LongSupplier clock) {
      nanoTime = clock;
      return this;
    }

    /**
     * Begins to log.
     *
     * @throws ConfigurationException if the file cannot be written, the sizes do not fit each
     *     other, or SLF4J is not bound to Logback
     */
    public LedgerLogs open() {
      if (maxTotalBytes < maxFileBytes) {
        throw new ConfigurationException(
            "the files of a log may have %d bytes together, which is less than one of them may have, %d"
                .formatted(maxTotalBytes, maxFileBytes));
      }
      return new LedgerLogs(this);
    }

    private static long positive(String name, long value) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " must be positive, not " + value);
      }
      return value;
    }
  }
}
