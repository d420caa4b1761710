package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the master key that options name.
 *
 * <table>
 * <caption>Options of the providers {@code aes} and {@code sm4}</caption>
 * <tr><th>option</th><th>default</th><th>meaning</th></tr>
 * <tr><td>{@code key}</td><td></td><td>the key, or where it lies: {@link KeyText}</td></tr>
 * <tr><td>{@code allow_sample_key}</td><td>false</td><td>take a key known from documents</td></tr>
 * <tr><td>{@code empty_key_file}</td><td>true</td><td>empty the file once it was used</td></tr>
 * </table>
 */
final class MasterKeys {

  static final String KEY = "key";
  static final String ALLOW_SAMPLE_KEY = "allow_sample_key";
  static final String EMPTY_KEY_FILE = "empty_key_file";

  private static final Logger LOG = LoggerFactory.getLogger(MasterKeys.class);

  private MasterKeys() {}

  static KeyWrapper open(Options options, String algorithm, List<CipherSuite> suites) {
    options.onlyAllow(KEY, ALLOW_SAMPLE_KEY, EMPTY_KEY_FILE);
    boolean samples = options.flag(ALLOW_SAMPLE_KEY, false);
    boolean emptying = options.flag(EMPTY_KEY_FILE, true);
    KeyText text = KeyText.of(options.requiredText(KEY));
    KeyLengths lengths = new KeyLengths(algorithm, suites);
    SecureRandom random = new SecureRandom();
    if (text.form() == KeyText.Form.FILE) {
      Path path = text.path();
      KeyFile file = new KeyFile(path, emptying, random);
      return wrapper(file.read(lengths), lengths, samples, random, Optional.of(file));
    }
    return wrapper(text.bytes(), lengths, samples, random, Optional.empty());
  }

  /** Returns the wrapper; the key is given away, and wiped if it is refused. */
  static KeyWrapper wrapper(
      byte[] key,
      KeyLengths lengths,
      boolean samples,
      SecureRandom random,
      Optional<KeyFile> file) {
    boolean taken = false;
    try {
      String place = file.map(KeyFile::place).orElse("the configuration");
      CipherSuite suite = lengths.suite(key.length, place);
      checkStrength(key, place, samples);
      KeyWrapper wrapper = new SoftKeyWrapper(key, suite, place, file, random);
      taken = true;
      return wrapper;
    } finally {
      if (!taken) {
        Arrays.fill(key, (byte) 0);
      }
    }
  }

  private static void checkStrength(byte[] key, String place, boolean samples) {
    if (!samples && KeyStrength.isSample(key)) {
      throw new ConfigurationException(
          "the key in "
              + place
              + " is one that documents show, so everybody knows it: make one of"
              + " your own; for a trial, set '"
              + ALLOW_SAMPLE_KEY
              + "' to true");
    }
    if (KeyStrength.isWeak(key)) {
      LOG.warn("the key in {} is easily guessed: make a random one, and rotate to it", place);
    }
  }
}
