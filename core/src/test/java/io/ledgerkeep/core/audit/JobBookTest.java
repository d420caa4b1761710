package io.ledgerkeep.core.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a book tells of jobs that ended before it was opened. */
final class JobBookTest {

  private static final Instant BEGUN = Instant.parse("2030-01-01T00:00:00Z");
  private static final Instant ENDED = Instant.parse("2030-01-01T01:00:00Z");

  private static JobBook opened(AuditLine... lines) {
    JobBook book =
        new JobBook(
            () -> {},
            () -> {},
            new JobBook.Notes() {
              @Override
              public long write(
                  String level, String job, String event, Map<String, String> fields) {
                throw new AssertionError("nothing is written");
              }

              @Override
              public List<AuditLine> newest() {
                return List.of(lines);
              }
            });
    book.open();
    return book;
  }

  private static AuditLine begun(String level) {
    return new AuditLine(
        "info", BEGUN, "verify", AuditLine.BEGUN, Map.of("number", "1", "level", level));
  }

  private static AuditLine ended(String unchecked, String findings) {
    return new AuditLine(
        "info",
        ENDED,
        "verify",
        "done",
        Map.of("number", "2", "of", "1", "unchecked", unchecked, "findings", findings));
  }

  @Test
  void aVerificationCountsWhereAllWasLookedAtAndNothingFound() {
    assertThat(opened(begun("ledger"), ended("0", "0")).lastVerification()).contains(ENDED);
    assertThat(opened(begun("ledger"), ended("1", "0")).lastVerification()).isEmpty();
    assertThat(opened(begun("ledger"), ended("0", "1")).lastVerification()).isEmpty();
    assertThat(opened(begun("structure"), ended("0", "0")).lastVerification()).isEmpty();
  }

  @Test
  void whereItsBeginIsOutOfSightTheLevelIsNotKnown() {
    assertThat(opened(ended("0", "0")).lastVerification()).isEqualTo(Optional.empty());
  }
}
