package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A directory has one owner, in all processes together. */
final class OwnerLockTest {

  private static final long OWN_PID = ProcessHandle.current().pid();

  @TempDir Path temporary;
  private Path directory;

  @BeforeEach
  void make() throws Exception {
    directory = Files.createDirectory(temporary.resolve("ledger"));
  }

  private static void assertLocked(Path directory, String... words) {
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> OwnerLock.take(directory))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.LOCKED))
        .withMessageContainingAll(words);
  }

  @Test
  void aSecondOpenerInTheSameProcessIsRefusedWithItsPid() throws Exception {
    Path link = Files.createSymbolicLink(temporary.resolve("link"), directory);
    try (OwnerLock lock = OwnerLock.take(directory)) {
      assertThat(lock).isNotNull();
      assertLocked(directory, "pid " + OWN_PID, "since 20", "this process");
      assertLocked(directory.resolve("../ledger/."), "pid " + OWN_PID);
      assertLocked(link, "pid " + OWN_PID);
    }
    OwnerLock.take(link).close();
  }

  /** By what the system says: who runs the tests may write everywhere, if that is root. */
  @Test
  void aDirectoryThatCannotBeWrittenToIsWrongConfigurationAndSaysWhatToDo() {
    String lock = directory.resolve("LOCK").toString();
    for (IOException denied :
        List.of(
            new AccessDeniedException(lock),
            new FileSystemException(lock, null, "Read-only file system"))) {
      assertThat(OwnerLock.failed(directory, denied))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContainingAll("cannot lock " + directory, "must be writable", "run as")
          .hasCause(denied);
    }
    assertThat(OwnerLock.failed(directory, new IOException("broken")))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("broken");
  }

  @Test
  void anotherDirectoryIsNotOwned() throws Exception {
    Path other = Files.createDirectory(temporary.resolve("other"));
    try (OwnerLock lock = OwnerLock.take(directory);
        OwnerLock second = OwnerLock.take(other)) {
      assertThat(lock).isNotSameAs(second);
    }
  }

  @Test
  void theFileSaysWhoTheOwnerIs() throws Exception {
    Files.writeString(directory.resolve("LOCK"), "pid 1 since long ago ".repeat(20));
    try (OwnerLock lock = OwnerLock.take(directory)) {
      assertThat(lock).isNotNull();
      assertThat(directory.resolve("LOCK"))
          .content()
          .matches("pid " + OWN_PID + " since 20\\d\\d-\\S+Z");
    }
    assertThat(directory.resolve("LOCK")).exists();
  }

  @Test
  void anotherProcessIsRefusedWithThePidOfTheOwner() throws Exception {
    World world = new World(directory);
    try (Ledger ledger = world.open()) {
      assertThat(ledger.height()).isEqualTo(-1);
      try (OtherOwner other = new OtherOwner(directory)) {
        assertThat(other.said()).startsWith("refused as LOCKED").contains("pid " + OWN_PID);
      }
    }
    try (OtherOwner other = new OtherOwner(directory)) {
      assertThat(other.said()).startsWith("taken");
    }
  }

  @Test
  void theOwnerMayBeKilledAndTheNextOneTakesOver() throws Exception {
    try (OtherOwner other = new OtherOwner(directory)) {
      assertThat(other.said()).startsWith("taken");
      assertLocked(directory, "pid " + other.pid(), "since 20");
      assertLocked(directory, "pid " + other.pid());
    }
    OwnerLock.take(directory).close();
  }

  /**
   * On POSIX a process that closes any descriptor of a file gives up all its locks on it: a refused
   * second attempt must not let another process in.
   */
  @Test
  void aRefusedSecondAttemptDoesNotGiveTheLockAway() throws Exception {
    try (OwnerLock lock = OwnerLock.take(directory)) {
      assertThat(lock).isNotNull();
      for (int attempt = 0; attempt < 3; attempt++) {
        assertLocked(directory, "this process");
      }
      try (OtherOwner other = new OtherOwner(directory)) {
        assertThat(other.said()).startsWith("refused as LOCKED");
      }
    }
  }

  /** The same library, loaded twice: neither knows of the other's locks but through the file. */
  @Test
  void aSecondClassLoaderIsRefusedAndDoesNotGiveTheLockAway() throws Exception {
    try (OwnerLock lock = OwnerLock.take(directory);
        URLClassLoader again = new URLClassLoader(classPath(), null)) {
      assertThat(lock).isNotNull();
      Method take =
          again.loadClass(OwnerLock.class.getName()).getDeclaredMethod("take", Path.class);
      take.setAccessible(true);
      assertThatExceptionOfType(InvocationTargetException.class)
          .isThrownBy(() -> take.invoke(null, directory))
          .satisfies(
              e ->
                  assertThat(e.getCause().toString())
                      .contains("ConflictException", "in use by", "pid " + OWN_PID));
      try (OtherOwner other = new OtherOwner(directory)) {
        assertThat(other.said()).startsWith("refused as LOCKED");
      }
    }
  }

  private static URL[] classPath() throws MalformedURLException {
    String[] entries =
        System.getProperty("java.class.path").split(System.getProperty("path.separator"));
    URL[] urls = new URL[entries.length];
    for (int i = 0; i < entries.length; i++) {
      urls[i] = Path.of(entries[i]).toUri().toURL();
    }
    return urls;
  }

  @Test
  void whatFailsToOpenGivesTheDirectoryFree() {
    World world = new World(directory);
    world.open().close();
    Settings wrong = world.settings();
    wrong.chainId = "another";
    for (int attempt = 0; attempt < 2; attempt++) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> world.open(wrong))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.OTHER_CHAIN));
    }
    world.open().close();
    world.disk.assertAllClosed();
  }

  @Test
  void closingTwiceGivesNobodyElsesLockAway() {
    OwnerLock first = OwnerLock.take(directory);
    first.close();
    try (OwnerLock second = OwnerLock.take(directory)) {
      assertThat(second).isNotNull();
      first.close();
      assertLocked(directory, "this process");
    }
  }
}
