package io.ledgerkeep.cli;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.error.ConflictException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/** A ledger together with the threads its jobs may use, as long as one command needs it. */
final class OpenLedger implements AutoCloseable {

  private final ExecutorService executor;
  private final Ledger ledger;

  private OpenLedger(ExecutorService executor, Ledger ledger) {
    this.executor = executor;
    this.ledger = ledger;
  }

  static OpenLedger existing(Ledgerkeep.Builder builder) {
    return open(builder, Ledgerkeep.Builder::openExisting);
  }

  static OpenLedger created(Ledgerkeep.Builder builder) {
    return open(builder, Ledgerkeep.Builder::open);
  }

  /**
   * Opens what looks after the ledger of --data: the ledger itself or, while another process has it
   * open and serves its control socket, that process.
   */
  static MaintainedLedger maintained(Settings settings) {
    try {
      OpenLedger open = existing(settings.ledger());
      return new MaintainedLedger(open.ledger, open);
    } catch (ConflictException locked) {
      if (locked.reason() != ConflictException.Reason.LOCKED) {
        throw locked;
      }
      return MaintainedLedger.elsewhere(settings, locked);
    }
  }

  /** Does something with a ledger that is not open, with the threads of a job. */
  static <T> T withThreads(Ledgerkeep.Builder builder, Function<Ledgerkeep.Builder, T> job) {
    ExecutorService executor = threads();
    try {
      return job.apply(builder.executor(executor));
    } finally {
      executor.shutdownNow();
    }
  }

  private static ExecutorService threads() {
    return Executors.newFixedThreadPool(
        Runtime.getRuntime().availableProcessors(), OpenLedger::daemonThread);
  }

  private static OpenLedger open(
      Ledgerkeep.Builder builder, Function<Ledgerkeep.Builder, Ledger> opener) {
    ExecutorService executor = threads();
    try {
      return new OpenLedger(executor, opener.apply(builder.executor(executor)));
    } catch (RuntimeException e) {
      executor.shutdownNow();
      throw e;
    }
  }

  private static Thread daemonThread(Runnable task) {
    Thread thread = new Thread(task, "ledgerkeep-job");
    thread.setDaemon(true);
    return thread;
  }

  Ledger ledger() {
    return ledger;
  }

  @Override
  public void close() {
    try {
      ledger.close();
    } finally {
      executor.shutdownNow();
    }
  }
}
