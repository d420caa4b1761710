package io.ledgerkeep.crypto.hsm;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.NativeLongByReference;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * SoftHSM2 with a folder of its own for its tokens. It reads the place of its configuration from
 * the environment when a process first calls it, so one test class uses one of these, and each
 * class has a process of its own (the build says so in {@code crypto-hsm/pom.xml}).
 */
public final class SoftHsm {

  public static final String LABEL = "soft";
  public static final String PIN = "1357-soft";
  private static final String SO_PIN = "8642-officer";

  private static final List<String> LIBRARIES =
      List.of(
          "usr/lib/softhsm/libsofthsm2.so",
          "usr/lib64/pkcs11/libsofthsm2.so",
          "usr/lib64/softhsm/libsofthsm2.so",
          "usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
          "usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
          "usr/local/lib/softhsm/libsofthsm2.so",
          "opt/homebrew/lib/softhsm/libsofthsm2.so");

  private final Path library;
  private final Path utility;
  private final Path configuration;

  private SoftHsm(Path library, Path utility, Path configuration) {
    this.library = library;
    this.utility = utility;
    this.configuration = configuration;
  }

  /** Sets up SoftHSM with one empty token below a folder; skips the test where there is none. */
  public static SoftHsm in(Path folder) throws IOException {
    Path tokens = Files.createDirectories(folder.resolve("tokens"));
    Path configuration =
        Files.writeString(
            folder.resolve("softhsm2.conf"),
            """
            directories.tokendir = %s
            objectstore.backend = file
            log.level = ERROR
            slots.removable = false
            """
                .formatted(tokens));
    SoftHsm soft = new SoftHsm(installedLibrary(), installedUtility(), configuration);
    setEnvironment("SOFTHSM2_CONF", configuration.toString());
    return soft.token(LABEL);
  }

  private static Path installedLibrary() {
    return Stream.of(Path.of("/"), Workshop.unpacked())
        .flatMap(root -> LIBRARIES.stream().map(root::resolve))
        .filter(Files::exists)
        .findFirst()
        .orElseGet(() -> abort("no SoftHSM here; run ./check, or install softhsm2"));
  }

  private static Path installedUtility() {
    return Workshop.command("softhsm2-util")
        .orElseGet(() -> abort("no softhsm2-util here; run ./check, or install softhsm2"));
  }

  /** Java cannot change its own environment; what a library reads with getenv is the C one. */
  private static void setEnvironment(String name, String value) {
    Function setenv = NativeLibrary.getProcess().getFunction("setenv");
    assertThat(setenv.invokeInt(new Object[] {name, value, 1})).isZero();
  }

  /** Adds a token of that label; done before the process first opens one, or it is not seen. */
  public SoftHsm token(String label) {
    util("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN);
    return this;
  }

  /** Generates a key that never leaves its token. */
  public SoftHsm aesKey(String label, int bytes) {
    return aesKey(LABEL, label, label.getBytes(UTF_8), bytes, false);
  }

  /** Generates a key in a token; done while nobody else in the process uses the library. */
  public SoftHsm aesKey(String token, String label, byte[] id, int bytes, boolean extractable) {
    try (Session session = new Session(library, token)) {
      session.generateAes(label, id, bytes, extractable);
    }
    return this;
  }

  private void util(String... arguments) {
    Stream<String> command =
        Stream.concat(
            Stream.of(utility.toString(), "--module", library.toString()), Stream.of(arguments));
    Workshop.Result result =
        Workshop.run(
            Map.of("SOFTHSM2_CONF", configuration.toString()), command.toArray(String[]::new));
    assertThat(result.status()).as(result.output()).isZero();
  }

  /** Returns the library, for configurations. */
  public Path library() {
    return library;
  }

  /** Returns the configuration, for child processes: the value of {@code SOFTHSM2_CONF}. */
  Path configuration() {
    return configuration;
  }

  /** The library in our hands, from its initialization to its end. */
  private static final class Session implements AutoCloseable {

    private static final int LABEL_BYTES = 32;
    private static final int TOKEN_INFO_BYTES = 1024;
    private static final long SERIAL_AND_WRITABLE = 6;
    private static final long USER = 1;
    private static final long AES_KEY_GEN = 0x1080;

    private final NativeLibrary library;
    private final long handle;

    Session(Path library, String token) {
      this.library = NativeLibrary.getInstance(library.toString());
      call("C_Initialize", Pointer.NULL);
      NativeLongByReference opened = new NativeLongByReference();
      call("C_OpenSession", slot(token), SERIAL_AND_WRITABLE, Pointer.NULL, Pointer.NULL, opened);
      this.handle = opened.getValue().longValue();
      byte[] pin = PIN.getBytes(UTF_8);
      call("C_Login", handle, USER, pin, (long) pin.length);
    }

    private void call(String function, Object... arguments) {
      Object[] converted =
          Stream.of(arguments)
              .map(argument -> argument instanceof Long number ? new NativeLong(number) : argument)
              .toArray();
      long result = library.getFunction(function).invokeLong(converted);
      assertThat(result).as(function + " of SoftHSM").isZero();
    }

    private long slot(String token) {
      NativeLongByReference count = new NativeLongByReference();
      call("C_GetSlotList", (byte) 1, Pointer.NULL, count);
      Memory slots = new Memory(count.getValue().longValue() * NativeLong.SIZE);
      call("C_GetSlotList", (byte) 1, slots, count);
      Memory info = new Memory(TOKEN_INFO_BYTES);
      for (int i = 0; i < count.getValue().intValue(); i++) {
        long slot = slots.getNativeLong((long) i * NativeLong.SIZE).longValue();
        call("C_GetTokenInfo", slot, info);
        if (new String(info.getByteArray(0, LABEL_BYTES), UTF_8).strip().equals(token)) {
          return slot;
        }
      }
      throw new AssertionError("SoftHSM shows the token " + token);
    }

    private void generateAes(String label, byte[] id, int bytes, boolean extractable) {
      try (Template template = new Template()) {
        template
            .add(0x1, flag(true)) // CKA_TOKEN
            .add(0x2, flag(true)) // CKA_PRIVATE
            .add(0x3, label.getBytes(UTF_8)) // CKA_LABEL
            .add(0x102, id) // CKA_ID
            .add(0x103, flag(!extractable)) // CKA_SENSITIVE
            .add(0x162, flag(extractable)) // CKA_EXTRACTABLE
            .add(0x104, flag(true)) // CKA_ENCRYPT
            .add(0x105, flag(true)) // CKA_DECRYPT
            .add(0x108, flag(true)) // CKA_SIGN
            .add(0x10A, flag(true)) // CKA_VERIFY
            .add(0x161, number(bytes)); // CKA_VALUE_LEN
        Memory mechanism = new Memory(3L * NativeLong.SIZE);
        mechanism.clear();
        mechanism.setNativeLong(0, new NativeLong(AES_KEY_GEN));
        call(
            "C_GenerateKey",
            handle,
            mechanism,
            template.memory(),
            template.count(),
            new NativeLongByReference());
      }
    }

    private static byte[] flag(boolean set) {
      return new byte[] {(byte) (set ? 1 : 0)};
    }

    private static byte[] number(long value) {
      ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
      return bytes.putLong(value).array();
    }

    @Override
    public void close() {
      call("C_Finalize", Pointer.NULL);
    }
  }

  /** Attributes in the layout of C, as long as this is open. */
  private static final class Template implements AutoCloseable {

    private static final int MOST = 16;
    private static final int ATTRIBUTE_BYTES = 3 * NativeLong.SIZE;

    private final Memory attributes = new Memory((long) MOST * ATTRIBUTE_BYTES);
    private final List<Memory> values = new ArrayList<>();

    Template add(long type, byte[] value) {
      Memory copy = new Memory(value.length);
      copy.write(0, value, 0, value.length);
      long place = (long) values.size() * ATTRIBUTE_BYTES;
      attributes.setNativeLong(place, new NativeLong(type));
      attributes.setPointer(place + NativeLong.SIZE, copy);
      attributes.setNativeLong(place + 2L * NativeLong.SIZE, new NativeLong(value.length));
      values.add(copy);
      return this;
    }

    Pointer memory() {
      return attributes;
    }

    long count() {
      return values.size();
    }

    @Override
    public void close() {
      values.forEach(Memory::close);
      attributes.close();
    }
  }
}
