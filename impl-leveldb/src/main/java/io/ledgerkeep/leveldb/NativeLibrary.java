package io.ledgerkeep.leveldb;

import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Path;
import java.util.Optional;
import org.fusesource.leveldbjni.internal.NativeDB;

/**
 * Loads the native library, once in a process.
 *
 * <p>It is unpacked from its jar to the directory of the option, else of the system property {@code
 * library.leveldbjni.path}, else to the temporary directory, else below the home directory; a
 * library that lies ready in one of the first two is used as it is.
 */
final class NativeLibrary {

  private static final String PROPERTY = "library.leveldbjni.path";

  private NativeLibrary() {}

  /**
   * Returns when the library is loaded.
   *
   * @throws ConfigurationException if it cannot be
   */
  static synchronized void load(Optional<Path> directory) {
    directory.ifPresent(
        path -> System.setProperty(PROPERTY, path.toAbsolutePath().normalize().toString()));
    try {
      NativeDB.LIBRARY.load();
    } catch (LinkageError e) {
      throw new ConfigurationException(
          "LevelDB's native library for "
              + System.getProperty("os.name")
              + " on "
              + System.getProperty("os.arch")
              + " could not be loaded from "
              + System.getProperty(PROPERTY, System.getProperty("java.io.tmpdir"))
              + "; name a writable directory of a file system mounted without noexec with the"
              + " option 'native-directory' or -D"
              + PROPERTY,
          e);
    }
  }
}
