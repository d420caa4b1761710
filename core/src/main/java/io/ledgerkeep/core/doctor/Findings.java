package io.ledgerkeep.core.doctor;

import io.ledgerkeep.Ledgerkeep.Diagnosis.Action;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Finding;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Remedy;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Severity;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Collects what is found; a part that fails while it is looked at is a finding too. */
public final class Findings {

  /** Of one part: who has a thousand damaged values has seen enough. */
  private static final int MAX_OF_A_PART = 200;

  private final List<Finding> all = new ArrayList<>();
  private final UnaryOperator<String> inWordsOfTheOriginal;

  /**
   * Creates an empty list.
   *
   * @param inWordsOfTheOriginal turns the paths of copies in a message into those of the originals
   */
  public Findings(UnaryOperator<String> inWordsOfTheOriginal) {
    this.inWordsOfTheOriginal = inWordsOfTheOriginal;
  }

  /** Adds a finding, unless it is known already. */
  public void add(Severity severity, String part, String what, Remedy remedy) {
    Finding finding = new Finding(severity, part, inWordsOfTheOriginal.apply(what), remedy);
    boolean isNew = all.stream().noneMatch(known -> known.what().equals(finding.what()));
    long ofThePart = all.stream().filter(known -> known.part().equals(part)).count();
    if (isNew && ofThePart < MAX_OF_A_PART) {
      all.add(finding);
    }
  }

  /** Adds something that nothing has to be done about. */
  public void note(String part, String what) {
    add(Severity.NOTE, part, what, Remedy.of(Action.NOTHING));
  }

  /** Looks at something; returns empty where that fails, which is a finding then. */
  public <T> Optional<T> look(String part, Remedy remedy, Supplier<T> look) {
    try {
      return Optional.of(look.get());
    } catch (RuntimeException e) {
      add(part, remedy, e);
      return Optional.empty();
    }
  }

  /** Looks at something that gives nothing. */
  public boolean lookAt(String part, Remedy remedy, Runnable look) {
    return look(
            part,
            remedy,
            () -> {
              look.run();
              return true;
            })
        .isPresent();
  }

  /**
   * Adds what a look ended with. Whatever damaged bytes lead to is damage; that the look itself
   * found no room tells nothing of the ledger, and ends the examination.
   */
  public void add(String part, Remedy remedy, RuntimeException e) {
    if (e instanceof StorageException disk && disk.isOutOfSpace()) {
      throw disk;
    }
    String what = e.getMessage() == null ? e.toString() : e.getMessage();
    if (e instanceof KeyUnavailableException key && !key.reason().tellsOfData()) {
      add(Severity.UNSEEN, part, what, Remedy.of(Action.GIVE_KEY));
    } else if (e instanceof UnsupportedFormatException) {
      add(Severity.UNSEEN, part, what, Remedy.of(Action.OTHER_RELEASE));
    } else if (e instanceof ConfigurationException) {
      add(Severity.UNSEEN, part, what, Remedy.of(Action.LOOK_ELSEWHERE));
    } else {
      add(Severity.DAMAGE, part, what, remedy);
    }
  }

  /** Returns whether something of the severity was found. */
  public boolean has(Severity severity) {
    return all.stream().anyMatch(finding -> finding.severity() == severity);
  }

  /** Returns whether something of the severity was found in the part. */
  public boolean has(Severity severity, String part) {
    return all.stream()
        .anyMatch(finding -> finding.severity() == severity && finding.part().equals(part));
  }

  /** Takes the finding of the words back, as it is told better. */
  public void withdraw(String what) {
    all.removeIf(finding -> finding.what().equals(inWordsOfTheOriginal.apply(what)));
  }

  /** Says of every remedy of the action that it is not carried out by the examination. */
  public void leaveToTheOperator(Action action) {
    all.replaceAll(
        finding -> {
          Remedy remedy = finding.remedy();
          return remedy.action() == action
              ? new Finding(
                  finding.severity(),
                  finding.part(),
                  finding.what(),
                  new Remedy(action, remedy.height(), remedy.paths(), false))
              : finding;
        });
  }

  /** Returns all, the worst first. */
  public List<Finding> all() {
    List<Finding> sorted = new ArrayList<>(all);
    sorted.sort(Comparator.comparing(Finding::severity).reversed());
    return sorted;
  }
}
