package io.ledgerkeep.benchmarks;

import io.ledgerkeep.benchmarks.EncryptionExperiment.Cipher;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * What it costs to keep the master key in a token that wraps the data keys: the same blocks on such
 * a ledger and on one whose master key is in software, encrypted with the same suite.
 */
final class HsmEnvelopeExperiment implements Experiment {

  private static final Aim AIM = Aim.atLeast(0.98);

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    Optional<SoftToken> token = SoftToken.ofThisProcess();
    return token.isEmpty() ? List.of() : run(setting, token.get());
  }

  private static List<Figure> run(Setting setting, SoftToken token) {
    Cipher.AES.choose();
    TwoLedgers ledgers =
        new TwoLedgers(
            builder -> builder.encryption("pkcs11", token.options("envelope", "native", 10)),
            Cipher.AES::encrypt);
    ledgers.grow(setting);
    String baseline = "baseline: AES-256 under a key in software; blocks of 1 KiB values";
    return List.of(
        Figure.of("commit one block, key in a token", "blocks/s", ledgers.commits(), AIM, baseline),
        Figure.of("read a block, key in a token", "reads/s", ledgers.reads(), AIM, baseline),
        Figure.of("bulk import, key in a token", "blocks/s", ledgers.imports(), AIM, baseline));
  }
}
