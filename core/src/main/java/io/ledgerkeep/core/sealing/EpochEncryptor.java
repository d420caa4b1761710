package io.ledgerkeep.core.sealing;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.encryption.LedgerKeys.DataKey;
import io.ledgerkeep.error.IntegrityException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Seals values in epochs.
 *
 * <pre>
 *  0   1  E1
 *  1   4  epoch
 *  5   7  number of the value in its epoch
 * 12   n  sealed by the suite, bound to the twelve bytes before, the store, the database and the key
 * </pre>
 *
 * The suite is not in there: it is that of the data key the epoch belongs to. It says how long the
 * sealed bytes are; in software they are 16 more than the value.
 */
public final class EpochEncryptor implements Encryptor {

  /** The first byte of every sealed value, which begins no plain record. */
  static final int SEALED = 0xE1;

  static final int HEADER_BYTES = 12;

  /** What sealing adds at least. */
  static final int MIN_OVERHEAD_BYTES = HEADER_BYTES + CipherSuite.TAG_BYTES;

  private static final byte[] LABEL = "LKv1".getBytes(StandardCharsets.US_ASCII);
  private static final int STORE_AT = LABEL.length + HEADER_BYTES;
  private static final int DATABASE_AT = STORE_AT + 2 * Long.BYTES + Short.BYTES;

  /** Not a buffer around the array: the compiler does not always spare that object. */
  private static final VarHandle LONG = view(long[].class);

  private static final VarHandle INT = view(int[].class);
  private static final VarHandle SHORT = view(short[].class);
  private static final long SEQUENCE_MASK = (1L << 56) - 1;

  private static VarHandle view(Class<?> numbers) {
    return MethodHandles.byteArrayViewVarHandle(numbers, ByteOrder.BIG_ENDIAN);
  }

  private final Keyring keyring;
  private final EpochLimits limits;

  /** For opening. */
  private final ConcurrentMap<Integer, EpochKey> known = new ConcurrentHashMap<>();

  /** Of disabled keys: whoever was reading may still be at it. Guarded by {@link #known}. */
  private final Set<EpochKey> retired = new HashSet<>();

  /** For sealing; absent before the first value. */
  private volatile @Nullable EpochKey current;

  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

  private volatile boolean closed;

  /** Seals and opens under the keys of a keyring, which is closed with it. */
  public EpochEncryptor(Keyring keyring) {
    this(keyring, EpochLimits.DEFAULT);
  }

  EpochEncryptor(Keyring keyring, EpochLimits limits) {
    this.keyring = keyring;
    this.limits = limits;
  }

  /** Returns the generation of the registry that the newest values depend on. */
  public long generation() {
    return keyring.generation();
  }

  /** Returns the bytes of the registry as it was last saved, for a backup. */
  public Bytes registry() {
    requireOpen();
    return keyring.registry();
  }

  /** Puts right what is wrong with the files of the registry, which proved to be the ledger's. */
  public void repairRegistry() {
    keyring.repairCopies();
  }

  /** Returns the name of the suite that new values are sealed with. */
  public String suite() {
    return keyring.suite().name();
  }

  // ------------------------------------------------------------------------------------ keys

  /** Returns where the master key lies, for people. */
  public String masterKey() {
    requireOpen();
    return keyring.masterKey();
  }

  /** Returns all data keys, in the order of their numbers. */
  public List<DataKey> dataKeys() {
    requireOpen();
    return keyring.dataKeys();
  }

  /** Makes a new data key. Values being sealed meanwhile may still be under the key before. */
  public DataKey rotate(String suite) {
    return withNewEpoch(() -> keyring.rotate(suite));
  }

  /** Says that somebody may know every key there is, and makes a new data key. */
  public DataKey markExposed() {
    return withNewEpoch(keyring::markExposed);
  }

  /**
   * Puts the registry under another master key, and makes a new data key if a suite is given.
   *
   * @param ofSegments the numbers of the archive keys that segments are under
   * @param room is given what {@link #overheadBytes} will be, before anything is changed; may throw
   */
  public void rewrap(
      KeyWrapper newMaster, Optional<String> suite, Set<Integer> ofSegments, IntConsumer room) {
    withNewEpoch(
        () -> {
          keyring.rewrap(
              newMaster, suite, ofSegments, overhead -> room.accept(HEADER_BYTES + overhead));
          return newMaster;
        });
  }

  /** Returns the keys in devices that values were sealed under, or will be. */
  public List<LedgerKeys.DirectKey> directKeys() {
    requireOpen();
    return keyring.directKeys();
  }

  private <T> T withNewEpoch(Supplier<T> change) {
    synchronized (known) {
      requireOpen();
      T result = change.get();
      current = null; // the next value begins an epoch
      return result;
    }
  }

  /** Lets a data key open nothing more. Who reads at this moment may still get an answer. */
  public void disable(int number) {
    synchronized (known) {
      requireOpen();
      keyring.disable(number);
      known.values().stream().filter(key -> key.dataKey() == number).forEach(retired::add);
      known.values().removeAll(retired);
    }
  }

  /** Lets a disabled data key open again what it sealed. */
  public void enable(int number) {
    requireOpen();
    keyring.enable(number);
  }

  /** Requires that a data key only opens. */
  public void requireReadOnly(int number) {
    requireOpen();
    keyring.requireReadOnly(number);
  }

  /** Requires that a data key is disabled. */
  public void requireDisabled(int number) {
    requireOpen();
    keyring.requireDisabled(number);
  }

  /** Forgets a data key that no stored value needs. */
  public void destroy(int number) {
    synchronized (known) {
      requireOpen();
      keyring.destroy(number);
      List<EpochKey> over = retired.stream().filter(key -> key.dataKey() == number).toList();
      over.forEach(EpochKey::close);
      retired.removeAll(over);
    }
  }

  /** Returns the keys of the archive. */
  public List<LedgerKeys.ArchiveKey> archiveKeys() {
    requireOpen();
    return keyring.shownArchiveKeys();
  }

  /** Returns who holds the keys of the archive, the ledger itself first. */
  public List<LedgerKeys.Holder> holders() {
    requireOpen();
    return keyring.holders();
  }

  /**
   * Lets another master key open the archive, once its objects are there.
   *
   * @param ofSegments the numbers of the archive keys that segments are under
   */
  public LedgerKeys.Holder addHolder(String name, KeyWrapper master, Set<Integer> ofSegments) {
    requireOpen();
    return keyring.addHolder(name, master, ofSegments);
  }

  /** Takes the archive from a holder, once its objects are gone. */
  public void dropHolder(Bytes id) {
    requireOpen();
    keyring.dropHolder(id);
  }

  /** Returns what may still be sealed in the epoch of this opening, if one was begun. */
  public Optional<LedgerKeys.Budget> budget() {
    EpochKey epoch = current;
    return epoch == null ? Optional.empty() : Optional.of(epoch.budget());
  }

  /** Returns the number of the data key that new values are sealed under. */
  public int activeDataKey() {
    requireOpen();
    return keyring.activeNumber();
  }

  /**
   * Returns the number of the data key that a value was sealed under, as it says.
   *
   * @throws IntegrityException if it is not sealed, or in an epoch that there never was
   */
  int dataKeyOf(Context context, Bytes sealed) {
    requireSealed(context, sealed);
    int number = epochNumberOf(sealed);
    EpochKey epoch = known.get(number);
    return epoch != null
        ? epoch.dataKey()
        : keyring.dataKeyOf(number).orElseThrow(() -> unknown(context, number));
  }

  // ------------------------------------------------------------------------------------ values

  @Override
  public int overheadBytes() {
    requireOpen();
    return HEADER_BYTES + keyring.overheadBytes();
  }

  @Override
  public Bytes seal(Context context, Bytes value) {
    requireOpen();
    EpochKey epoch = current;
    long number = epoch == null ? EpochKey.USED_UP : epoch.take(value.size());
    while (epoch == null || number == EpochKey.USED_UP) {
      epoch = renewed(epoch);
      number = epoch.take(value.size());
    }
    byte[] sealed = new byte[HEADER_BYTES + epoch.suite().sealedBytes(value.size())];
    LONG.set(sealed, 4, number); // its first byte is 0: the epoch is written over it
    INT.set(sealed, 1, epoch.number());
    sealed[0] = (byte) SEALED;
    value.copyTo(sealed, HEADER_BYTES);
    Scratch mine = scratch.get();
    epoch
        .aead()
        .seal(
            epoch.nonce(number, mine.nonce),
            mine.additional(context, sealed),
            sealed,
            HEADER_BYTES,
            value.size());
    return Bytes.wrap(sealed);
  }

  /** Returns the number of the epoch that a value says it was sealed in. */
  static int epochNumberOf(Bytes sealedValue) {
    return sealedValue.asBuffer().getInt(1);
  }

  /**
   * Returns whether the epoch is the one that values are sealed in now, and so under the active
   * key: after a rotation none is, until the next value is sealed.
   */
  boolean isThisEpoch(int number) {
    EpochKey epoch = current;
    return epoch != null && number == epoch.number();
  }

  @Override
  public Bytes open(Context context, Bytes sealed) {
    requireOpen();
    requireSealed(context, sealed);
    byte[] array = sealed.toArrayUnsafe();
    int number = (int) INT.get(array, 1);
    EpochKey epoch = epoch(number).orElseThrow(() -> unknown(context, number));
    int sealedBytes = array.length - HEADER_BYTES;
    int size = epoch.suite().openedBytes(array, HEADER_BYTES, sealedBytes);
    byte[] value = new byte[Math.max(0, size)];
    Scratch mine = scratch.get();
    if (size < 0
        || !epoch
            .aead()
            .open(
                epoch.nonce((long) LONG.get(array, 4) & SEQUENCE_MASK, mine.nonce),
                mine.additional(context, array),
                array,
                HEADER_BYTES,
                sealedBytes,
                value,
                0)) {
      throw new IntegrityException(
          name(context) + " does not fit its seal: it was changed, or belongs to another place");
    }
    return Bytes.wrap(value);
  }

  private static void requireSealed(Context context, Bytes value) {
    if (value.size() < MIN_OVERHEAD_BYTES || (value.get(0) & 0xFF) != SEALED) {
      throw new IntegrityException(name(context) + " is not sealed; plain data were put there");
    }
  }

  private static IntegrityException unknown(Context context, int epoch) {
    return new IntegrityException(
        "%s was sealed in epoch %s, which the registry of keys does not know: it was put there from elsewhere, or the registry is an older one"
            .formatted(name(context), epoch));
  }

  private Optional<EpochKey> epoch(int number) {
    EpochKey epoch = known.get(number);
    if (epoch != null) {
      return Optional.of(epoch);
    }
    synchronized (known) {
      EpochKey raced = known.get(number);
      if (raced != null) {
        return Optional.of(raced);
      }
      requireOpen();
      Optional<EpochKey> found = keyring.epoch(number, limits);
      found.ifPresent(key -> known.put(number, key));
      return found;
    }
  }

  /** Returns the epoch after the one that is over; of several threads one begins it. */
  private EpochKey renewed(@Nullable EpochKey over) {
    synchronized (known) {
      requireOpen();
      EpochKey newest = current;
      if (newest == null || newest.equals(over)) {
        newest = keyring.newEpoch(limits);
        known.put(newest.number(), newest);
        current = newest;
      }
      return newest;
    }
  }

  /** What a thread needs for one value after the other, so that it is not garbage after each. */
  private static final class Scratch {

    /** Longer than what is bound to a value with a key of usual length. */
    private static final int SIZES = 256;

    private final byte[] nonce = new byte[CipherSuite.NONCE_BYTES];
    private final byte[] @Nullable [] bySize = new byte[SIZES][];
    private String database = "";
    private byte[] databaseBytes = new byte[0];

    /** The key comes last, so no other parts give the same bytes. */
    byte[] additional(Context context, byte[] sealed) {
      if (!context.database().equals(database)) {
        database = context.database();
        databaseBytes = database.getBytes(StandardCharsets.UTF_8);
      }
      int keyAt = DATABASE_AT + databaseBytes.length;
      byte[] bytes = array(keyAt + context.key().size());
      System.arraycopy(LABEL, 0, bytes, 0, LABEL.length);
      System.arraycopy(sealed, 0, bytes, LABEL.length, HEADER_BYTES);
      LONG.set(bytes, STORE_AT, context.store().getMostSignificantBits());
      LONG.set(bytes, STORE_AT + Long.BYTES, context.store().getLeastSignificantBits());
      SHORT.set(bytes, DATABASE_AT - Short.BYTES, (short) databaseBytes.length);
      System.arraycopy(databaseBytes, 0, bytes, DATABASE_AT, databaseBytes.length);
      context.key().copyTo(bytes, keyAt);
      return bytes;
    }

    /** Returns an array of exactly the size: ciphers take arrays whole. */
    private byte[] array(int size) {
      if (size >= SIZES) {
        return new byte[size];
      }
      byte[] array = bySize[size];
      if (array == null) {
        array = new byte[size];
        bySize[size] = array;
      }
      return array;
    }
  }

  private static String name(Context context) {
    return "the value of the key with digest %s in the %s database"
        .formatted(
            Hashing.sha256().hashBytes(context.key().toArrayUnsafe()).toString().substring(0, 16),
            context.database());
  }

  @Override
  public void close() {
    synchronized (known) {
      closed = true;
      known.values().forEach(EpochKey::close);
      known.clear();
      retired.forEach(EpochKey::close);
      keyring.close();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the encryptor is closed");
    }
  }
}
