package io.ledgerkeep.error;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.error.ArchivedException.Subject;
import io.ledgerkeep.error.StorageException.Kind;
import org.junit.jupiter.api.Test;

final class ErrorsTest {

  @Test
  void whatIsArchivedIsToldInTheWordsEveryoneKnows() {
    assertThat(new ArchivedException(Subject.BLOCK, 7, "")).hasMessage("archived block");
    assertThat(new ArchivedException(Subject.TRANSACTION, 7, ""))
        .hasMessage("archived transaction");
    ArchivedException rwSet = new ArchivedException(Subject.RW_SET, 1L << 40, "/mnt/archive");
    assertThat(rwSet).hasMessage("archived RWSet");
    assertThat(rwSet.height()).isEqualTo(1L << 40);
    assertThat(rwSet.place()).isEqualTo("/mnt/archive");
    assertThat(rwSet.subject()).isEqualTo(Subject.RW_SET);
  }

  @Test
  void aStorageFailureTellsWhetherToTryAgain() {
    assertThat(new StorageException(Kind.FATAL, "x").isRetryable()).isFalse();
    assertThat(new StorageException(Kind.RETRYABLE, "x").isRetryable()).isTrue();
    assertThat(new StorageException(Kind.OUT_OF_SPACE, "x").isRetryable()).isTrue();
    assertThat(new StorageException(Kind.OUT_OF_SPACE, "x").isOutOfSpace()).isTrue();
    assertThat(new StorageException(Kind.RETRYABLE, "x").isOutOfSpace()).isFalse();
  }

  @Test
  void aStorageFailureTellsWhatIsCommitted() {
    Exception cause = new IllegalStateException("cause");
    assertThat(new StorageException(Kind.FATAL, "x").committedHeight()).isEmpty();
    assertThat(new StorageException(Kind.FATAL, "x", cause).committedHeight()).isEmpty();
    assertThat(new StorageException(Kind.FATAL, "x", cause, 0).committedHeight()).hasValue(0);
    assertThat(new StorageException(Kind.FATAL, "x", cause, 0)).hasCause(cause);
  }

  @Test
  void theFamilyIsSealedAndUnchecked() {
    assertThat(LedgerkeepException.class.isSealed()).isTrue();
    assertThat(LedgerkeepException.class.getPermittedSubclasses())
        .allSatisfy(
            type -> {
              assertThat(RuntimeException.class).isAssignableFrom(type);
              assertThat(java.lang.reflect.Modifier.isFinal(type.getModifiers())).isTrue();
            });
  }
}
