package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class FailureTest {

  @Test
  void everyErrorHasItsExitCode() {
    assertThat(code(new ConfigurationException("x"))).isEqualTo(2);
    assertThat(code(new IntegrityException("x"))).isEqualTo(4);
    assertThat(code(new UnsupportedFormatException("x"))).isEqualTo(3);
    assertThat(code(new ArchivedException(ArchivedException.Subject.BLOCK, 1, ""))).isEqualTo(1);
    assertThat(code(new StorageException(StorageException.Kind.FATAL, "x"))).isEqualTo(1);
    assertThat(code(new IOException("x"))).isEqualTo(1);
    assertThat(code(new IllegalStateException("x"))).isEqualTo(1);
    assertThat(code(new OutOfMemoryError())).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource
  void aConflictIsLockedOrRefused(ConflictException.Reason reason) {
    int expected =
        switch (reason) {
          case LOCKED, JOB_RUNNING -> 5;
          default -> 3;
        };
    assertThat(code(new ConflictException(reason, "x"))).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource
  void whatIsArchivedIsToldInTheSeedsWords(ArchivedException.Subject subject) {
    String message = Failure.of(new ArchivedException(subject, 7, "/a")).message();
    assertThat(message).isIn("archived block", "archived transaction", "archived RWSet");
  }

  @Test
  void theJdksBareFileNamesAreExplained() {
    assertThat(Failure.of(new NoSuchFileException("f")).message()).isEqualTo("there is no file f");
    IOException cause = new NoSuchFileException("f");
    assertThat(Failure.of(new UncheckedIOException(cause)).message())
        .isEqualTo("there is no file f");
  }

  private static int code(Throwable thrown) {
    return Failure.of(thrown).exitCode();
  }
}
