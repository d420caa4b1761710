package io.ledgerkeep.badger;

import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.contract.StorageEngineContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * The rules with a sidecar that was there before; {@link BadgerContractTest} plays what harms it.
 */
final class ConnectedContractTest extends StorageEngineContract {

  private Path root;
  private RunningSidecar sidecar;

  @BeforeAll
  static void assumeSidecar() {
    Stores.assumeSidecar();
  }

  @Override
  protected StorageEngineProvider provider() {
    return new BadgerStorageProvider();
  }

  @Override
  protected Options options() {
    return RunningSidecar.options(root).with("database", "ledger1/main");
  }

  @Override
  @BeforeEach
  public void prepare(@TempDir Path temporary) {
    root = temporary.resolve("root");
    try {
      sidecar = RunningSidecar.onSocket(root);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    super.prepare(temporary);
  }

  @AfterEach
  void stop() {
    closeAll();
    sidecar.close();
  }
}
