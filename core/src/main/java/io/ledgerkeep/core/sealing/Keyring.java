package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.encryption.LedgerKeys.State;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of a ledger, and the registry that keeps them.
 *
 * <p>The master key wraps a root secret. A key derived from the root seals the body of the
 * registry, which holds the data keys and the epochs; a key derived from a data key seals the
 * values of an epoch. The registry is replaced whole, in two files of which either suffices, and is
 * durable before anything is sealed under what was added. Serves any number of threads.
 */
public final class Keyring implements ArchiveKeys.Registry, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Keyring.class);
  private static final Bytes WRAP_LABEL = Bytes.ofUtf8("ledgerkeep registry root 1");

  private final Path directory;
  private final RegistryCopies copies;
  private final Suites suites;
  private final DeviceKeys devices;
  private final CallLimits callLimits;
  private final Clock clock;

  /** What sealing adds at most, with all suites that may be sealed with. */
  private volatile int overheadBytes;

  /** Guarded by this, like what follows. */
  private String masterKey;

  private Secret root;

  /** What the files hold. */
  private RegistryFile file;

  private final List<DataKey> dataKeys = new ArrayList<>();

  private final List<Epoch> epochs = new ArrayList<>();

  private boolean closed;

  private ArchiveSection archive = ArchiveSection.empty();

  /** Shows the keys of the archive as they were last saved. */
  private final ArchiveKeys archiveKeys = ArchiveKeys.of(this);

  private Keyring(
      Path directory,
      Suites suites,
      CallLimits callLimits,
      Clock clock,
      String masterKey,
      Secret root,
      RegistryFile file) {
    this.directory = directory;
    this.copies = new RegistryCopies(directory);
    this.masterKey = masterKey;
    this.suites = suites;
    this.devices = new DeviceKeys(suites);
    this.callLimits = callLimits;
    this.clock = clock;
    this.root = root;
    this.file = file;
  }

  /** What may be known of a registry before the key is there. */
  public record Head(boolean foreign, Bytes ledgerId, String chainId) {}

  /**
   * Returns what the registry of a directory says in plain, or empty where the ledger there is not
   * encrypted.
   *
   * @throws IntegrityException if both files are damaged
   */
  public static Optional<Head> head(Path directory) {
    if (!new RegistryCopies(directory).exist()) {
      return Optional.empty();
    }
    RegistryFile file = new RegistryCopies(directory).sound().get(0);
    return Optional.of(
        new Head(file.kind() == RegistryFile.Kind.FOREIGN, file.ledgerId(), file.chainId()));
  }

  /**
   * Makes the registry of a new ledger, with one data key for the suite of the wrapper: that in its
   * device, if it has one. It has an archive key of the same suite, or those of the archive that it
   * goes on with.
   *
   * @param objects those of that archive, in the order of their numbers; none where it has one of
   *     its own
   * @throws KeyUnavailableException if the master key unlocks none
   * @throws IntegrityException if the one that it unlocks is not as it was written
   */
  public static void create(
      Path directory,
      Bytes ledgerId,
      String chainId,
      KeyWrapper wrapper,
      Suites suites,
      Clock clock,
      List<KeyObject> objects) {
    CipherSuite suite = suites.named(wrapper.suite());
    Secret root = Secret.random();
    byte[] wrapped = wrapper.wrap(root.bytes(), wrapContext(ledgerId));
    RegistryFile empty =
        new RegistryFile(
            RegistryFile.Kind.OWN,
            ledgerId,
            chainId,
            suite.id(),
            0,
            Bytes.wrap(wrapped),
            Bytes.EMPTY,
            Bytes.EMPTY,
            Bytes.EMPTY);
    try (Keyring keyring =
        new Keyring(directory, suites, CallLimits.DEFAULT, clock, wrapper.place(), root, empty)) {
      keyring.devices.open(wrapper);
      CipherSuite first = keyring.devices.current().map(CipherSuite.class::cast).orElse(suite);
      keyring.dataKeys.add(
          new DataKey(1, first, State.ACTIVE, false, clock.millis(), Secret.random()));
      keyring.archive =
          objects.isEmpty()
              ? ArchiveSection.fresh(ledgerId, ofArchive(first), wrapper)
              : keyring.succeeding(objects, wrapper);
      keyring.save();
    }
  }

  private ArchiveSection succeeding(List<KeyObject> objects, KeyWrapper wrapper) {
    Holder own = Holder.ofMaster(file.ledgerId(), objects, wrapper);
    ArchiveSection section = new ArchiveSection(List.of(own), List.of(), List.of());
    for (KeyObject object : objects) {
      if (isNextOf(section, object)) {
        section = section.withKey(opened(own, object));
      }
    }
    if (section.keys().isEmpty()) {
      throw new IntegrityException(
          "the archive of ledger %s has no object of its first key for holder %s"
              .formatted(file.ledgerId().hex(), own.id().hex()));
    }
    return section;
  }

  private static boolean isNextOf(ArchiveSection section, KeyObject object) {
    return section.holders().get(0).id().equals(object.holder())
        && object.number() == section.keys().size() + 1;
  }

  private ArchiveSection.Key opened(Holder own, KeyObject object) {
    CipherSuite software = suites.named(object.suite());
    Secret secret = own.open(object, file.ledgerId(), software);
    CipherSuite suite = devices.suite(object, software);
    ArchiveKey key = new ArchiveKey(file.ledgerId(), object.number(), suite, secret);
    return new ArchiveSection.Key(key, object.salt(), false);
  }

  /**
   * Returns the bytes of the registry of a directory, for a backup: of its files the newer one that
   * is sound.
   */
  public static Bytes registryIn(Path directory) {
    return new RegistryCopies(directory).sound().get(0).encode();
  }

  /** Puts a registry from a backup into a directory; durable when it returns. */
  public static void putBack(Bytes registry, Path directory) {
    RegistryFile.decode(registry, "the registry of keys of a backup").write(directory);
  }

  /** Returns whether what opens one of two registries opens the other. */
  public static boolean haveOneMaster(Bytes one, Bytes other) {
    return RegistryFile.decode(one, "a registry of keys")
        .wrappedRoot()
        .equals(RegistryFile.decode(other, "a registry of keys").wrappedRoot());
  }

  /** Says in a new ledger that its values are sealed by an encryptor that is handed in. */
  public static void createForeign(Path directory, Bytes ledgerId, String chainId) {
    RegistryFile.foreign(ledgerId, chainId).write(directory);
  }

  /**
   * Opens the registry of a directory: each of its files that the master key opens, the newest
   * first, equal ones once. Which of several is the ledger's shows in its databases only; the
   * caller closes the others.
   *
   * @throws ConfigurationException if the keys are those of an encryptor that is handed in
   * @throws KeyUnavailableException if the master key is not the one
   * @throws IntegrityException if neither file is what was written
   */
  public static List<Keyring> open(Path directory, KeyWrapper wrapper, Suites suites, Clock clock) {
    return open(directory, wrapper, suites, CallLimits.DEFAULT, clock);
  }

  static List<Keyring> open(
      Path directory, KeyWrapper wrapper, Suites suites, CallLimits callLimits, Clock clock) {
    List<Keyring> opened = new ArrayList<>();
    List<LedgerkeepException> failures = new ArrayList<>();
    for (RegistryFile copy : new RegistryCopies(directory).sound()) {
      try {
        if (copy.kind() == RegistryFile.Kind.FOREIGN) {
          throw new ConfigurationException(
              "the ledger in %s is encrypted by an encryptor that was handed in; hand it in again"
                  .formatted(directory));
        }
        opened.add(open(directory, copy, wrapper, suites, callLimits, clock));
      } catch (ConfigurationException | IntegrityException | KeyUnavailableException e) {
        failures.add(e);
      }
    }
    if (opened.isEmpty()) {
      throw failures.get(0);
    }
    failures.forEach(
        e -> LOG.warn("a file of the registry of keys is refused: {}", e.getMessage()));
    return opened;
  }

  private static Keyring open(
      Path directory,
      RegistryFile file,
      KeyWrapper wrapper,
      Suites suites,
      CallLimits callLimits,
      Clock clock) {
    Secret root = unwrap(directory, file, wrapper);
    Keyring keyring =
        new Keyring(directory, suites, callLimits, clock, wrapper.place(), root, file);
    try {
      keyring.load();
      keyring.openDevice(wrapper);
      return keyring;
    } catch (RuntimeException | Error e) {
      keyring.close();
      throw e;
    }
  }

  private static Secret unwrap(Path directory, RegistryFile file, KeyWrapper wrapper) {
    try {
      return new Secret(wrapper.unwrap(file.wrappedRoot().toArray(), wrapContext(file.ledgerId())));
    } catch (KeyUnavailableException e) {
      if (e.reason() != KeyUnavailableException.Reason.WRONG) {
        throw e;
      }
      throw new KeyUnavailableException(
          KeyUnavailableException.Reason.WRONG,
          "the key of %s is not the one that ledger %s in %s is encrypted with; give that one"
              .formatted(wrapper.place(), file.ledgerId().hex(), directory),
          e);
    }
  }

  /**
   * Replaces a copy that is damaged, absent or another, once this one has proven to be the
   * ledger's. What it was is kept beside it unless it is an older one of the ledger. That it cannot
   * be done is no failure: one copy suffices.
   */
  public synchronized void repairCopies() {
    copies.repair(file);
  }

  // ------------------------------------------------------------------------------------ devices

  private synchronized void openDevice(KeyWrapper wrapper) {
    devices.open(wrapper);
    for (DataKey key : dataKeys) {
      if (key.opens() && isAbsent(key.suite())) {
        throw absent(key);
      }
    }
    devices.current().ifPresent(this::prepare);
    overheadBytes = measured();
    if (devices.current().isPresent() && !isActive(devices.current().get())) {
      LOG.warn(
          "{} seals in its device, and the active data key of the ledger is one in memory: values go on being sealed under that until tde rotate makes one of suite {}",
          wrapper.place(),
          devices.current().get().name());
    }
  }

  private boolean isActive(CipherSuite suite) {
    return dataKeys.stream()
        .anyMatch(key -> key.state() == State.ACTIVE && key.suite().equals(suite));
  }

  private void prepare(DirectSuite suite) {
    suite.calls().leaseFrom(calls -> lease(suite, calls));
  }

  /**
   * Leases calls under a device's key, durable on return. Asked for by who seals, on any thread and
   * with whatever locks of the archive: nobody seals in a device, nor waits for who does, while
   * holding the lock of this.
   */
  private synchronized long lease(DirectSuite suite, long calls) {
    long used = devices.leased(suite.identity());
    long left = callLimits.total() - used;
    if (left < calls) {
      throw usedUp(suite);
    }
    long leased = Math.min(left, Math.max(calls, callLimits.block()));
    suite.addLeased(leased);
    try {
      save();
    } catch (RuntimeException | Error e) {
      suite.addLeased(-leased);
      throw e;
    }
    if (callLimits.isHalfReached(used, leased)) {
      LOG.warn(
          "half of the calls under key {} of the device are used: {} of {}. Before they are, make keys of another suite (ledgerkeep tde rotate --suite {}) and re-encrypt, or move to another key",
          suite.identity().hex(),
          used + leased,
          callLimits.total(),
          suite.software().name());
    }
    return leased;
  }

  private KeyUnavailableException usedUp(DirectSuite suite) {
    return new KeyUnavailableException(
        KeyUnavailableException.Reason.RETIRED,
        "key %s of the device is used up: all of its %s calls that seal were leased. Make keys of a suite in software (ledgerkeep tde rotate --suite %s), re-encrypt (tde reencrypt), disable the data keys of the device, and take another key there (tde rewrap)"
            .formatted(suite.identity().hex(), callLimits.total(), suite.software().name()));
  }

  /** What is left of the leases was not used and will not be: nothing seals any more. */
  private void handBack() {
    long left = 0;
    for (DirectSuite suite : devices.all()) {
      long unused = suite.calls().close();
      suite.addLeased(-unused);
      left += unused;
    }
    if (left > 0) {
      try {
        save();
      } catch (StorageException e) {
        LOG.warn("{} calls that were leased count as used: {}", left, e.getMessage());
      }
    }
  }

  private static boolean isAbsent(CipherSuite suite) {
    return suite instanceof DirectSuite direct && !direct.isAtHand();
  }

  private KeyUnavailableException absent(DataKey key) {
    return new KeyUnavailableException(
        KeyUnavailableException.Reason.MISSING,
        "data key %s of ledger %s seals inside of a device (%s), which the master key given does not; open the ledger with that key, in direct mode"
            .formatted(key.number(), file.ledgerId().hex(), key.suite()));
  }

  /** Returns what may be shown of the keys in devices. */
  synchronized List<LedgerKeys.DirectKey> directKeys() {
    return devices.all().stream().map(this::shown).toList();
  }

  private LedgerKeys.DirectKey shown(DirectSuite suite) {
    return new LedgerKeys.DirectKey(
        suite.identity().hex(),
        suite.name(),
        devices.current().filter(suite::equals).isPresent(),
        suite.leased(),
        Math.max(0, callLimits.total() - devices.leased(suite.identity())));
  }

  /** Returns by how much the suites make {@link Encryptor#OVERHEAD_SPAN} longer, at most. */
  int overheadBytes() {
    return overheadBytes;
  }

  private int measured() {
    int most = 0;
    for (CipherSuite suite : suites.all()) {
      most = Math.max(most, overheadBytes(suite));
    }
    return Math.max(most, devices.current().map(Keyring::overheadBytes).orElse(0));
  }

  private static int overheadBytes(CipherSuite suite) {
    int most = 0;
    for (int size = 0; size <= Encryptor.OVERHEAD_SPAN; size++) {
      most = Math.max(most, suite.sealedBytes(size) - size);
    }
    return most;
  }

  // ------------------------------------------------------------------------------------ the body

  private synchronized void load() {
    byte[] body =
        RegistryBody.open(suites.of(file.suite()), root, file)
            .orElseThrow(
                () ->
                    new IntegrityException(
                        "the registry of keys in %s, generation %s, was changed; put it back from a backup"
                            .formatted(directory, file.generation())));
    try {
      decode(new ByteReader(Bytes.wrap(body), "the registry of keys"));
      archiveKeys.show(archive.archiveKeys());
    } finally {
      Arrays.fill(body, (byte) 0);
    }
  }

  /** Writes the next generation. */
  private synchronized void save() {
    save(file, root);
  }

  private void save(RegistryFile base, Secret newRoot) {
    if (closed) {
      throw new IllegalStateException("the registry of keys is closed"); // its secrets are wiped
    }
    RegistryFile next = RegistryBody.next(suites.of(base.suite()), newRoot, base, encode());
    copies.replace(file, next);
    file = next;
    archiveKeys.show(archive.archiveKeys());
  }

  /** As long as the writer need not grow, it leaves no copy of the secrets behind. */
  private byte[] encode() {
    ByteWriter out =
        new ByteWriter(
            64 * (dataKeys.size() + epochs.size())
                + DeviceKeys.ENTRY_BYTES * devices.all().size()
                + archive.encodedBytes()
                + 32);
    devices.writeTo(out);
    out.varint(dataKeys.size());
    for (DataKey key : dataKeys) {
      out.varint(key.number());
      devices.writeSuite(out, key.suite());
      out.u8(key.stateCode())
          .u8(key.exposed() ? 1 : 0)
          .u64(key.createdAtMillis())
          .raw(key.secret().bytes());
    }
    out.varint(epochs.size());
    for (Epoch epoch : epochs) {
      out.varint(epoch.number())
          .varint(epoch.dataKey())
          .raw(epoch.salt())
          .u64(epoch.createdAtMillis());
    }
    archive.writeTo(out, devices);
    return out.takeAndWipe();
  }

  private void decode(ByteReader in) {
    devices.readFrom(in);
    for (int left = in.count(); left > 0; left--) {
      dataKeys.add(
          new DataKey(
              in.number(),
              devices.readSuite(in),
              DataKey.state(in.u8(), in),
              in.u8() != 0,
              in.u64(),
              new Secret(in.raw(Secret.BYTES).toArray())));
    }
    for (int left = in.count(); left > 0; left--) {
      epochs.add(
          new Epoch(
              in.number(), in.number(), Bytes.copyOf(in.raw(Secret.BYTES).toArray()), in.u64()));
    }
    archive = ArchiveSection.readFrom(in, file.ledgerId(), devices);
    in.end();
  }

  // ------------------------------------------------------------------------------------ keys

  /** Returns the id of the ledger, to which every value is bound. */
  public synchronized Bytes ledgerId() {
    return file.ledgerId();
  }

  /** Returns the generation of the registry, which only grows. */
  public synchronized long generation() {
    return file.generation();
  }

  /** Returns the bytes of the registry as it was last saved, for a backup. */
  synchronized Bytes registry() {
    return file.encode();
  }

  /** Returns the suite that new values are sealed under. */
  public synchronized CipherSuite suite() {
    return activeKey().suite();
  }

  /** Returns the keys of the ledger's archive, which follow the keyring and are closed with it. */
  public ArchiveKeys archiveKeys() {
    return archiveKeys;
  }

  /** Returns what may be shown of the data keys. */
  synchronized List<LedgerKeys.DataKey> dataKeys() {
    return dataKeys.stream().map(DataKey::shown).toList();
  }

  /** Makes new keys for values and for the archive; durable when the call returns. */
  synchronized LedgerKeys.DataKey rotate(String suiteName) {
    CipherSuite suite = devices.named(suiteName);
    requireForHolders(suite, archive);
    return change(() -> activate(suite));
  }

  /** Says that somebody may know every key there is, and makes a new one the active one. */
  synchronized LedgerKeys.DataKey markExposed() {
    CipherSuite suite = suite();
    return change(
        () -> {
          dataKeys.replaceAll(key -> key.state() == State.DESTROYED ? key : key.asExposed());
          archive = archive.exposed();
          return activate(suite);
        });
  }

  private LedgerKeys.DataKey activate(CipherSuite suite) {
    dataKeys.replaceAll(key -> key.state() == State.ACTIVE ? key.with(State.READ_ONLY) : key);
    DataKey fresh =
        new DataKey(
            dataKeys.size() + 1, suite, State.ACTIVE, false, clock.millis(), Secret.random());
    dataKeys.add(fresh);
    archive = archive.withNewKey(file.ledgerId(), ofArchive(suite));
    return fresh.shown();
  }

  /** Returns the suite of an archive key that is made with a data key. */
  private static CipherSuite ofArchive(CipherSuite suite) {
    return suite instanceof DirectSuite direct && !direct.archives() ? direct.software() : suite;
  }

  /** Who has another master key opens nothing that is sealed in the device. */
  private static void requireForHolders(CipherSuite suite, ArchiveSection archive) {
    if (ofArchive(suite) instanceof DirectSuite && archive.holders().size() > 1) {
      throw new ConflictException(
          Reason.KEY,
          "the archive has other holders, who cannot open what is sealed in the device: drop them (ledgerkeep tde holders drop), or keep the archive's key in memory");
    }
  }

  /**
   * Puts everything under another master key, and a fresh root; what was kept of older registries
   * goes. The secrets of other holders may be known together with the keys: where those are
   * exposed, the archive is taken from them.
   *
   * @param suiteName the suite of the keys that are made as well, if any are; where the new master
   *     key seals in its device, keys of the suite there are made unless the active one is that
   * @param ofSegments the numbers of the archive keys that segments are under
   * @param room is given what {@link #overheadBytes} will be, before anything is changed; may throw
   * @throws ConflictException if keys are exposed, and none is made, or the master key stays; if
   *     the device of the old one is needed still
   */
  synchronized void rewrap(
      KeyWrapper newMaster, Optional<String> suiteName, Set<Integer> ofSegments, IntConsumer room) {
    Runnable takeBack = devices.open(newMaster);
    try {
      room.accept(measured());
      rewrapOpened(newMaster, suiteName, ofSegments);
    } catch (RuntimeException | Error e) {
      takeBack.run();
      throw e;
    }
    overheadBytes = measured();
  }

  private void rewrapOpened(
      KeyWrapper newMaster, Optional<String> suiteName, Set<Integer> ofSegments) {
    requireNothingLeftBehind(ofSegments); // first: what is to be done about it says more
    Optional<CipherSuite> suite = ofNewKeys(suiteName);
    devices.current().ifPresent(this::prepare);
    boolean exposed = dataKeys.stream().anyMatch(Keyring::isExposed);
    if (exposed && suite.isEmpty()) {
      throw new ConflictException(
          Reason.KEY,
          "somebody may know the data keys of this ledger, which a new master key does not change: rewrap and rotate in one step (tde rewrap --rotate), re-encrypt then (tde reencrypt), and destroy the exposed keys");
    }
    if (exposed && unwraps(newMaster)) {
      throw new ConflictException(
          Reason.KEY,
          "the key of %s is the master key there is, and somebody may know it; give another"
              .formatted(newMaster.place()));
    }
    suite.ifPresent(by -> requireForHolders(by, exposed ? archive.alone() : archive));
    int masterSuite = suites.named(newMaster.suite()).id();
    copies.removeKept(); // first: a failure of this leaves all as it is
    Secret oldRoot = root;
    Secret newRoot = Secret.random();
    try {
      Bytes wrapped = Bytes.wrap(wrapProven(newRoot, newMaster));
      change(
          () -> {
            Holder own = Holder.fresh(file.ledgerId(), Holder.OWN_NAME, newMaster);
            archive = exposed ? archive.alone().withOwn(own) : archive.withOwn(own);
            suite.ifPresent(this::activate);
            return wrapped;
          },
          file.under(masterSuite, wrapped),
          newRoot);
    } catch (RuntimeException | Error e) {
      newRoot.close();
      throw e;
    }
    root = newRoot;
    masterKey = newMaster.place();
    oldRoot.close();
  }

  /** Returns where the master key lies that the registry is under, for people. */
  synchronized String masterKey() {
    return masterKey;
  }

  private Optional<CipherSuite> ofNewKeys(Optional<String> suiteName) {
    Optional<DirectSuite> direct = devices.current();
    if (direct.isEmpty()) {
      return suiteName.map(suites::named);
    }
    return suiteName.isPresent() || !isActive(direct.get())
        ? Optional.of(direct.get())
        : Optional.empty();
  }

  /** Whoever opens the ledger has one master key, and so one device. */
  private void requireNothingLeftBehind(Set<Integer> ofSegments) {
    for (DataKey key : dataKeys) {
      require(
          !key.opens() || !isOtherDevice(key.suite()),
          key,
          "seals in the device of the master key there is, without which nobody opens what lies under it: rotate to a suite in software (tde rotate --suite), re-encrypt (tde reencrypt), and disable it first (tde disable)");
    }
    requireInNoDevice(
        ofSegments,
        "the archive has segments under archive key %s, sealed in the device of the master key there is: rotate to a suite in software (tde rotate --suite) and re-encrypt (tde reencrypt) first");
  }

  private boolean isOtherDevice(CipherSuite suite) {
    return suite instanceof DirectSuite && !devices.current().filter(suite::equals).isPresent();
  }

  private void requireInNoDevice(Set<Integer> ofSegments, String problem) {
    for (ArchiveSection.Key key : archive.keys()) {
      if (ofSegments.contains(key.key().number()) && isOtherDevice(key.key().suite())) {
        throw new ConflictException(Reason.KEY, problem.formatted(key.key().number()));
      }
    }
  }

  /** Returns whether the registry is under the master key. */
  private boolean unwraps(KeyWrapper wrapper) {
    try {
      Arrays.fill(
          wrapper.unwrap(file.wrappedRoot().toArray(), wrapContext(file.ledgerId())), (byte) 0);
      return true;
    } catch (KeyUnavailableException e) {
      if (e.reason() != KeyUnavailableException.Reason.WRONG) {
        throw e;
      }
      return false;
    }
  }

  private static boolean isExposed(DataKey key) {
    return key.exposed() && key.state() != State.DESTROYED;
  }

  /** A secret that nothing brings back would take all data with it. */
  private byte[] wrapProven(Secret secret, KeyWrapper wrapper) {
    byte[] wrapped = wrapper.wrap(secret.bytes(), wrapContext(file.ledgerId()));
    byte[] unwrapped = wrapper.unwrap(wrapped, wrapContext(file.ledgerId()));
    try {
      if (!Arrays.equals(unwrapped, secret.bytes())) {
        throw new KeyUnavailableException(
            KeyUnavailableException.Reason.WRONG,
            "the key of %s does not give back what it wrapped; nothing was changed"
                .formatted(wrapper.place()));
      }
      return wrapped;
    } finally {
      Arrays.fill(unwrapped, (byte) 0);
    }
  }

  /** Lets a data key open nothing more, until it is enabled again. */
  synchronized void disable(int number) {
    DataKey key = requireReadOnly(number);
    replace(key, key.with(State.DISABLED));
  }

  /** Requires that a data key only opens. */
  synchronized DataKey requireReadOnly(int number) {
    DataKey key = requiredKey(number);
    require(key.state() != State.ACTIVE, key, "is the active one; rotate to a new key first");
    require(key.opens(), key, "is " + key.state().name().toLowerCase(Locale.ROOT) + " already");
    return key;
  }

  /** Lets a disabled data key open again what it sealed. */
  synchronized void enable(int number) {
    DataKey key = requiredKey(number);
    require(key.state() == State.DISABLED, key, "is not disabled");
    if (isAbsent(key.suite()) || isOtherDevice(key.suite())) {
      throw absent(key);
    }
    replace(key, key.with(State.READ_ONLY));
  }

  /** Requires that a data key may be destroyed, for all that the registry knows. */
  synchronized void requireDisabled(int number) {
    DataKey key = requiredKey(number);
    require(key.state() == State.DISABLED, key, "is not disabled; disable it first");
  }

  /**
   * Forgets a disabled data key for ever; what was kept of older registries goes. Only for one that
   * no stored value needs.
   */
  synchronized void destroy(int number) {
    requireDisabled(number);
    copies.removeKept(); // first: a failure of this leaves all as it is
    DataKey key = requiredKey(number);
    replace(key, key.destroyed());
    key.secret().close();
  }

  private void replace(DataKey key, DataKey by) {
    change(() -> dataKeys.set(key.number() - 1, by));
  }

  private DataKey requiredKey(int number) {
    if (number < 1 || number > dataKeys.size()) {
      throw new ConflictException(
          Reason.KEY,
          "there is no data key %s; there are 1 to %s".formatted(number, dataKeys.size()));
    }
    return dataKeys.get(number - 1);
  }

  private static void require(boolean holds, DataKey key, String problem) {
    if (!holds) {
      throw new ConflictException(Reason.KEY, "data key %s %s".formatted(key.number(), problem));
    }
  }

  private <T> T change(Supplier<T> change) {
    return change(change, file, root);
  }

  /** Makes a change durable; where that fails, nothing has changed. */
  private <T> T change(Supplier<T> change, RegistryFile base, Secret newRoot) {
    List<DataKey> dataKeysBefore = List.copyOf(dataKeys);
    ArchiveSection archiveBefore = archive;
    try {
      T result = change.get();
      save(base, newRoot);
      archiveBefore.wipeAllBut(archive);
      return result;
    } catch (RuntimeException | Error e) {
      dataKeys.subList(dataKeysBefore.size(), dataKeys.size()).forEach(key -> key.secret().close());
      dataKeys.clear();
      dataKeys.addAll(dataKeysBefore);
      archive.wipeAllBut(archiveBefore);
      archive = archiveBefore;
      throw e;
    }
  }

  /** Returns the number of the data key that new values are sealed under. */
  synchronized int activeNumber() {
    return activeKey().number();
  }

  /** Returns the number of the data key of an epoch, or empty where there is no such epoch. */
  synchronized OptionalInt dataKeyOf(int epoch) {
    return epoch < 1 || epoch > epochs.size()
        ? OptionalInt.empty()
        : OptionalInt.of(epochs.get(epoch - 1).dataKey());
  }

  /** Begins an epoch; it is durable when the call returns, before anything is sealed in it. */
  synchronized EpochKey newEpoch(EpochLimits limits) {
    Epoch epoch =
        new Epoch(
            epochs.size() + 1,
            activeKey().number(),
            Bytes.wrap(Secret.randomBytes()),
            clock.millis());
    epochs.add(epoch);
    try {
      save();
    } catch (RuntimeException | Error e) {
      epochs.remove(epoch);
      throw e;
    }
    return key(epoch, limits);
  }

  /** Returns the key of an epoch that was begun before, or empty where there is none. */
  synchronized Optional<EpochKey> epoch(int number, EpochLimits limits) {
    return number < 1 || number > epochs.size()
        ? Optional.empty()
        : Optional.of(key(epochs.get(number - 1), limits));
  }

  private EpochKey key(Epoch epoch, EpochLimits limits) {
    DataKey dataKey = dataKeys.get(epoch.dataKey() - 1);
    if (!dataKey.opens()) {
      throw new KeyUnavailableException(
          KeyUnavailableException.Reason.RETIRED,
          "data key %s of ledger %s is %s%s"
              .formatted(
                  dataKey.number(),
                  file.ledgerId().hex(),
                  dataKey.state().name().toLowerCase(Locale.ROOT),
                  dataKey.state() == State.DISABLED ? "; enable it (ledgerkeep tde enable)" : ""));
    }
    return EpochKey.derive(epoch, dataKey, file.ledgerId(), limits, clock);
  }

  private DataKey activeKey() {
    return dataKeys.stream()
        .filter(key -> key.state() == State.ACTIVE)
        .reduce((first, second) -> second)
        .orElseThrow(
            () ->
                new KeyUnavailableException(
                    KeyUnavailableException.Reason.RETIRED,
                    "no data key of this ledger may seal; run ledgerkeep tde rotate"));
  }

  // ------------------------------------------------------------------------------------ archive

  /** Returns who holds the keys of the archive, the ledger itself first. */
  synchronized List<LedgerKeys.Holder> holders() {
    Holder own = archive.holders().get(0);
    return archive.holders().stream().map(holder -> shown(holder, holder == own)).toList();
  }

  private static LedgerKeys.Holder shown(Holder holder, boolean own) {
    return new LedgerKeys.Holder(holder.id().hex(), holder.name(), holder.suite(), own);
  }

  /** Returns what may be shown of the keys of the archive. */
  synchronized List<LedgerKeys.ArchiveKey> shownArchiveKeys() {
    return archive.keys().stream().map(ArchiveSection.Key::shown).toList();
  }

  /**
   * Lets another master key open the archive, once its objects are there; durable on return.
   *
   * @param ofSegments the numbers of the archive keys that segments are under
   * @throws ConfigurationException if the name is no name, or is another holder's
   * @throws ConflictException if the archive is sealed in a device
   */
  synchronized LedgerKeys.Holder addHolder(
      String name, KeyWrapper wrapper, Set<Integer> ofSegments) {
    for (ArchiveSection.Key key : archive.keys()) {
      int number = key.key().number();
      if (key.key().suite() instanceof DirectSuite
          && (ofSegments.contains(number) || number == archive.keys().size())) {
        throw new ConflictException(
            Reason.KEY,
            "archive key %s seals in a device, without which no holder opens anything; keep the archive's key in memory, rotate, and re-encrypt the archive first"
                .formatted(number));
      }
    }
    Holder holder = Holder.fresh(file.ledgerId(), name, wrapper);
    try {
      change(archive.withHolder(holder));
    } catch (RuntimeException | Error e) {
      holder.close();
      throw e;
    }
    return shown(holder, false);
  }

  /**
   * Takes the archive from a holder, once its objects are gone; durable on return.
   *
   * @throws ConfigurationException if there is no such holder
   * @throws ConflictException if it is the ledger itself
   */
  synchronized void dropHolder(Bytes id) {
    change(archive.withoutHolder(id));
  }

  @Override
  public synchronized List<KeyObject> objects() {
    return archive.objects();
  }

  @Override
  public synchronized Set<Bytes> retired() {
    return Set.copyOf(archive.retired());
  }

  /** Notes that nothing of the former holders is in the archive; durable on return. */
  @Override
  public synchronized void forgetRetired(Collection<Bytes> holders) {
    ArchiveSection next = archive.forgetting(holders);
    if (!next.equals(archive)) {
      change(next);
    }
  }

  /** The own holder's secret opens it: no master key is needed. */
  @Override
  public synchronized boolean learn(KeyObject object) {
    if (!isNextOf(archive, object)) {
      return false;
    }
    change(archive.withKey(opened(archive.holders().get(0), object)));
    LOG.info(
        "took archive key {} over from the archive: the registry is from before", object.number());
    return true;
  }

  private void change(ArchiveSection next) {
    change(
        () -> {
          archive = next;
          return next;
        });
  }

  private static byte[] wrapContext(Bytes ledgerId) {
    return new ByteWriter(48).raw(WRAP_LABEL).raw(ledgerId).take().toArray();
  }

  /**
   * Wipes the secrets; closing twice does nothing. The keys of the archive and the devices wait for
   * who is sealing, who may wait for a lease: so they are closed without the lock.
   */
  @Override
  public void close() {
    ArchiveSection last;
    synchronized (this) {
      try {
        if (!closed) {
          handBack();
        }
      } finally {
        closed = true;
        root.close();
        dataKeys.forEach(key -> key.secret().close());
        last = archive;
      }
    }
    last.wipeAllBut(ArchiveSection.empty());
    devices.close();
  }
}
