package io.ledgerkeep.core.store;

import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.testkit.contract.ArchiveStoreContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

final class DirectoryStoreContractTest extends ArchiveStoreContract {

  @Override
  protected ArchiveStore open(Path directory) {
    return new DirectoryStoreProvider().open(Options.of("path", directory.toString()));
  }

  /** Puts a file where the directory was, which even a superuser cannot read through. */
  @Override
  protected boolean breakMedium(Path directory) {
    try {
      Files.move(directory, directory.resolveSibling("away"));
      Files.createFile(directory);
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  protected void repairMedium(Path directory) {
    try {
      Files.delete(directory);
      Files.move(directory.resolveSibling("away"), directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
