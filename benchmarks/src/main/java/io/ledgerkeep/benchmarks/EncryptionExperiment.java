package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** What encryption costs: the same blocks on an encrypted ledger and on one in plain. */
final class EncryptionExperiment implements Experiment {

  /** What is sealed with. */
  enum Cipher {
    AES("aes", "auto", 32, "AES-256"),
    SM4("sm4", "auto", 16, "SM4"),
    SM4_BOUNCYCASTLE("sm4", "bouncycastle", 16, "SM4 by Bouncy Castle");

    private final String encryptor;
    private final String backend;
    private final int keyBytes;
    private final String words;

    Cipher(String encryptor, String backend, int keyBytes, String words) {
      this.encryptor = encryptor;
      this.backend = backend;
      this.keyBytes = keyBytes;
      this.words = words;
    }

    String encryptor() {
      return encryptor;
    }

    String words() {
      return words;
    }

    /** Lets everything in this process seal with it. */
    void choose() {
      System.setProperty("ledgerkeep.sm4", backend);
    }

    /** Lets a ledger be encrypted with it, under a key in software. */
    void encrypt(Ledgerkeep.Builder builder) {
      builder.encryption(encryptor, options());
    }

    Options options() {
      byte[] key = new byte[keyBytes];
      new Random(1).nextBytes(key);
      return Options.of("key", "hex:" + HexFormat.of().formatHex(key));
    }
  }

  private final Cipher cipher;

  EncryptionExperiment(Cipher cipher) {
    this.cipher = cipher;
  }

  @Override
  public List<Figure> run(Setting setting) {
    cipher.choose();
    TwoLedgers ledgers = new TwoLedgers(cipher::encrypt, builder -> {});
    ledgers.grow(setting);
    ledgers.archiveAndRestore(setting);
    return figures(ledgers);
  }

  private List<Figure> figures(TwoLedgers ledgers) {
    String baseline = "baseline: the same ledger in plain; blocks of 1 KiB values, two threads";
    boolean aes = cipher == Cipher.AES;
    Aim bulk = Aim.atLeast(aes ? 0.9 : 0.7);
    boolean hasBulkAim = cipher != Cipher.SM4_BOUNCYCASTLE;
    return List.of(
        Figure.of(
            "commit one block, " + cipher.words,
            "blocks/s",
            ledgers.commits(),
            Aim.atLeast(aes ? 0.95 : 0.85),
            baseline),
        Figure.of(
            "read a block, " + cipher.words,
            "reads/s",
            ledgers.reads(),
            aes ? Aim.atLeast(0.95) : Aim.none(),
            baseline),
        Figure.of(
            "bulk import, " + cipher.words,
            "blocks/s",
            ledgers.imports(),
            hasBulkAim ? bulk : Aim.none(),
            baseline),
        Figure.of(
            "archive, " + cipher.words,
            "MB/s",
            ledgers.archiving(),
            hasBulkAim ? bulk : Aim.none(),
            baseline),
        Figure.of("restore, " + cipher.words, "MB/s", ledgers.restoring(), Aim.none(), baseline));
  }
}
