package io.ledgerkeep.core.files;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/** Directories with all that is in them. */
public final class Directories {

  private Directories() {}

  /**
   * Removes a file, or a directory with all that is in it; links in it are not followed. Returns
   * whether it was there.
   *
   * @throws StorageException if it cannot be removed
   */
  public static boolean delete(Path root) {
    if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try {
      MoreFiles.deleteRecursively(root, RecursiveDeleteOption.ALLOW_INSECURE);
      return true;
    } catch (IOException e) {
      throw SmallFile.failed("cannot remove " + root, e);
    }
  }
}
