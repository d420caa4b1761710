package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Ledgerkeep.Diagnosis;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Action;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Finding;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import io.ledgerkeep.Rebuilder;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.LedgerkeepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Examines a ledger and, if asked to, repairs what can be repaired without losing anything: looks,
 * repairs, and looks again, as one repair may be what the next one needs.
 */
final class ExamineJob {

  private static final Logger LOG = LoggerFactory.getLogger(ExamineJob.class);
  private static final int MOST_ROUNDS = 5;

  /** What opening the ledger does, or a job that is begun in it. */
  private static final Set<Action> BY_OPENING =
      EnumSet.of(Action.OPEN, Action.ARCHIVE, Action.RESTORE, Action.REENCRYPT);

  private final Settings settings;
  private final Diagnosis.Request request;
  private final Clock clock;
  private final Path directory;
  private final List<String> fixed = new ArrayList<>();

  ExamineJob(Settings settings, Diagnosis.Request request, Clock clock) {
    this.settings = settings;
    this.request = request;
    this.clock = clock;
    this.directory = settings.requiredDirectory();
  }

  Diagnosis run() {
    if (!Files.isDirectory(directory)) {
      throw new ConfigurationException("there is no ledger in " + directory);
    }
    LedgerOpener.requireNoneUnderWay(directory);
    Layout.requireNotMoved(directory);
    Diagnosis found = examine();
    for (int round = 0; request.fix() && round < MOST_ROUNDS && !found.cancelled(); round++) {
      Set<Remedy> fixes = fixes(found);
      if (fixes.isEmpty()) {
        break;
      }
      boolean isDone = isDone(fixes);
      found = examine();
      if (!isDone || fixes(found).equals(fixes)) {
        break;
      }
    }
    if (!fixed.isEmpty()) {
      noteFixed();
    }
    return withFixed(found);
  }

  /** What was repaired is repaired, whether it can be written down or not. */
  private void noteFixed() {
    try (OwnerLock lock = OwnerLock.take(directory);
        Encryption.Keys keys = settings.encryption.open(settings.classLoader)) {
      ClosedNotes.noteMade(directory, keys, "doctor", Map.of("fixed", String.join("; ", fixed)));
    } catch (LedgerkeepException e) {
      LOG.warn("what was repaired is not in the audit file: {}", e.getMessage());
    }
  }

  private Diagnosis examine() {
    try (OwnerLock lock = OwnerLock.take(directory)) {
      return new Examination(settings, request).run();
    }
  }

  private static Set<Remedy> fixes(Diagnosis found) {
    return found.findings().stream()
        .map(Finding::remedy)
        .filter(Remedy::isFix)
        .collect(Collectors.toSet());
  }

  private Diagnosis withFixed(Diagnosis found) {
    return new Diagnosis(
        found.heights(),
        found.derivedThrough(),
        found.archivedHeight(),
        found.archive(),
        found.coherentHeight(),
        found.missing(),
        found.findings(),
        fixed,
        found.checkedBlocks(),
        found.cancelled());
  }

  // ------------------------------------------------------------------------------------ repair

  /** Returns false where a repair failed: what it says is found by looking again. */
  private boolean isDone(Set<Remedy> fixes) {
    try {
      FailPoint.pass("examine.fixing");
      fixFiles(fixes);
      Set<Action> actions = fixes.stream().map(Remedy::action).collect(Collectors.toSet());
      if (actions.contains(Action.REBUILD)) {
        rebuild();
      } else if (actions.stream().anyMatch(BY_OPENING::contains)) {
        open();
      }
      FailPoint.pass("examine.fixed");
      return true;
    } catch (LedgerkeepException e) {
      LOG.warn("a repair of {} failed: {}", directory, e.getMessage());
      fixed.add("failed: " + e.getMessage());
      return false;
    }
  }

  private void fixFiles(Set<Remedy> fixes) {
    try (OwnerLock lock = OwnerLock.take(directory)) {
      for (Remedy remedy : fixes) {
        if (remedy.action() == Action.WRITE_LAYOUT) {
          writeLayout();
        } else if (remedy.action() == Action.REMOVE) {
          remedy.paths().forEach(this::remove);
        }
      }
    }
  }

  private void writeLayout() {
    Path file = directory.resolve("LAYOUT");
    try {
      if (Files.exists(file)) {
        Files.move(file, directory.resolve("LAYOUT.damaged"), StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot keep " + file, e);
    }
    new LayoutFinder(settings, Examination.newFindings())
        .find()
        .ifPresent(layout -> layout.write(directory));
    fixed.add("wrote " + file);
  }

  private void remove(Path path) {
    if (Directories.delete(path)) {
      fixed.add("removed " + path);
    }
  }

  private void rebuild() {
    Rebuilder.Request all = Rebuilder.Request.all().with(request.control());
    Rebuilder.Report report = new RebuildJob(settings.copy(), all, clock).run();
    fixed.add(
        report.cancelled()
            ? "a rebuild of state, history and indexes was begun"
            : "made state, history and indexes anew; the originals are kept: "
                + report.originals().stream().map(Path::toString).collect(Collectors.joining(" ")));
  }

  private void open() {
    Settings opening = settings.copy();
    opening.unarchivedBlocks = null;
    try (OwnerLock lock = OwnerLock.take(directory);
        Encryption.Keys keys = settings.encryption.open(settings.classLoader);
        OpenLedger ledger = new LedgerOpener(opening).openOwned(keys)) {
      ledger.archiving().settle();
    }
    fixed.add("opened the ledger and finished what had been begun");
  }
}
