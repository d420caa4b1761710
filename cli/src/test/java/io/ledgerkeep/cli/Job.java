package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.cli.JobGround.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A job of an operator, run on a copy of a ledger of {@link JobGround}. */
enum Job {
  REBUILD(
      List.of("rebuild-dbs", "--yes"),
      List.of("rebuild.applied", "rebuild.proven", "rebuild.switched"),
      List.of(
          "rebuild.corrected",
          "rebuild.begun",
          "rebuild.created",
          "rebuild.saved",
          "rebuild.replayed",
          "rebuild.compared",
          "rebuild.righted",
          "rebuild.durable",
          "rebuild.kept",
          "rebuild.opened",
          "rebuild.done")),
  ROLL_BACK(
      List.of("rebuild-dbs", "--height", "12", "--yes"),
      List.of("rollback.applied", "rollback.prepared", "rollback.committed"),
      List.of(
          "rollback.finished",
          "rollback.begun",
          "rollback.backed-up",
          "rollback.published",
          "rollback.restored",
          "restore.written",
          "rollback.flushed",
          "rollback.kept",
          "rollback.opened",
          "rollback.ended",
          "rollback.forgotten",
          "rollback.done")),
  BACKUP(
      List.of("backup", "--to", "copies"),
      List.of("backup.synced:2", "backup.verified:3", "backup.published"),
      List.of("backup.begun", "backup.noted", "backup.named:2", "backup.complete", "backup.done")),
  RESTORE_BACKUP(
      List.of("restore-backup", "--from", "backups"),
      List.of("restored.loaded", "restored.flushed:3", "restored.switched"),
      List.of(
          "restored.verified",
          "restored.begun",
          "restored.keys",
          "restored.compared",
          "restored.prepared",
          "restored.durable",
          "restored.opened",
          "restored.dropped",
          "restored.tidied")),
  MIGRATE(
      List.of("migrate", "--to", "elsewhere", "--yes"),
      List.of("migrate.switched", "migrate.copied", "migrate.verified"),
      List.of(
          "migrate.filled",
          "migrate.begun",
          "migrate.created",
          "migrate.durable",
          "migrate.arrived",
          "migrate.opened",
          "migrate.done")),
  SYNC(
      List.of(
          "sync",
          "--from",
          "data",
          "--from-archive",
          "archive",
          "--trust-source",
          "--successor",
          "--leave-archived"),
      List.of("sync.copied", "sync.archived", "sync.switched"),
      List.of(
          "sync.begun",
          "sync.created",
          "archive.begun",
          "archive.committed",
          "sync.verified",
          "sync.durable",
          "sync.tidied")),
  DOCTOR(
      List.of("doctor", "--fix"),
      List.of("examine.copied:2", "rebuild.switched", "examine.looked"),
      List.of("examine.begun", "examine.fixing", "examine.copied:3", "examine.fixed"));

  private static final int ROLLED_BACK_TO = 12;

  private final List<String> arguments;
  private final List<String> steps;
  private final List<String> moreSteps;

  Job(List<String> arguments, List<String> steps, List<String> moreSteps) {
    this.arguments = arguments;
    this.steps = steps;
    this.moreSteps = moreSteps;
  }

  /** Returns the steps that are always tried. */
  List<String> steps() {
    return steps;
  }

  List<String> allSteps() {
    return Stream.concat(steps.stream(), moreSteps.stream()).toList();
  }

  /** Returns a step at which something was written already and much is left to do. */
  String inTheMiddle() {
    return switch (this) {
      case REBUILD -> "rebuild.created";
      case ROLL_BACK -> "rollback.begun";
      case BACKUP -> "backup.begun";
      case RESTORE_BACKUP -> "restored.keys";
      case MIGRATE -> "migrate.created";
      case SYNC -> "sync.created";
      case DOCTOR -> "examine.begun";
    };
  }

  /** Returns whether the job makes a ledger where there is none. */
  boolean makesOne() {
    return this == RESTORE_BACKUP || this == SYNC;
  }

  /** Returns the ledger that the job takes the lock of. */
  Place ledger(Place place, Kind kind) {
    return makesOne() ? kind.place(place.directory, "back") : place;
  }

  /** Returns the job's command on a ledger; its other directories lie beside that. */
  Object[] command(Place ledger) {
    List<Object> words = new ArrayList<>(arguments);
    words.replaceAll(
        word ->
            List.of("copies", "backups", "elsewhere", "data", "archive").contains(word)
                ? ledger.directory.resolve((String) word)
                : word);
    return ledger.withBoth(words.toArray());
  }

  /** Gives a job that repairs something to do. */
  void damage(Place place) throws IOException {
    if (this == REBUILD || this == DOCTOR) {
      MoreFiles.deleteRecursively(
          place.data.resolve("state"), RecursiveDeleteOption.ALLOW_INSECURE);
    }
  }

  /** Checks that a ledger on which the job was not run, or was not run to its end, has it all. */
  void assertUntouched(Place place) {
    assertHas(place, JobGround.BLOCKS);
  }

  /** Checks that the job was done, and what it was to make is whole. */
  void assertDone(Place place, Kind kind) {
    switch (this) {
      case ROLL_BACK -> assertHas(place, ROLLED_BACK_TO + 1);
      case BACKUP -> {
        Place back = kind.place(place.directory, "back");
        Path copies = place.directory.resolve("copies");
        Run restored = back.run("restore-backup", "--from", copies);
        assertThat(restored.exitCode()).as(restored.err()).isZero();
        assertHas(back, JobGround.BLOCKS);
      }
      case RESTORE_BACKUP -> assertHas(ledger(place, kind), JobGround.BLOCKS);
      case SYNC -> {
        Aftermath made = new Aftermath(ledger(place, kind), JobGround.chain(JobGround.BLOCKS));
        made.assertNothingIsLost();
        assertHas(place, JobGround.BLOCKS);
      }
      case MIGRATE -> {
        assertHas(kind.place(place.directory, "elsewhere"), JobGround.BLOCKS);
        assertThat(place.run("status").exitCode()).isEqualTo(ExitCode.REFUSED);
      }
      case REBUILD, DOCTOR -> assertHas(place, JobGround.BLOCKS);
    }
    for (String left :
        List.of(
            "data/REBUILDING",
            "data/ROLLINGBACK",
            "data/EXAMINING",
            "data/MIGRATING",
            "elsewhere/ARRIVING",
            "back/RESTORING",
            "back/SYNCING")) {
      assertThat(place.directory.resolve(left)).doesNotExist();
    }
  }

  private static void assertHas(Place place, int blocks) {
    new Aftermath(place, JobGround.chain(blocks)).assertNothingIsLost();
    if (blocks == JobGround.BLOCKS) {
      new Aftermath(place, JobGround.chain(blocks)).assertPivotIs(JobGround.PIVOT);
    }
  }
}
