package io.ledgerkeep.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Reads a registry of keys of AES-128-GCM as docs/format.md has it, with nothing of Ledgerkeep: all
 * the secrets that no file may show.
 */
final class KeysByTheBook {

  private static final int SUITE = 0x0101;
  private static final int KEY_BYTES = 16;
  private static final int ID_BYTES = 16;
  private static final int SECRET_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private final List<String> secrets = new ArrayList<>();
  private byte[] ledgerId = {};

  private KeysByTheBook() {}

  /** Returns the master key, and whatever is kept or derived under it, as texts to search for. */
  static List<String> secrets(Path registry, String masterHex)
      throws IOException, GeneralSecurityException {
    KeysByTheBook book = new KeysByTheBook();
    byte[] master = HexFormat.of().parseHex(masterHex);
    book.secrets.add(masterHex);
    book.add(master);
    book.read(ByteBuffer.wrap(Files.readAllBytes(registry)), master);
    return book.secrets;
  }

  private void read(ByteBuffer in, byte[] master) throws GeneralSecurityException {
    in.position(8);
    varint(in); // version
    in.get(); // kind
    ledgerId = raw(in, 16);
    sized(in); // chain id
    varint(in); // suite
    in.getLong(); // generation
    byte[] root = unwrapped(sized(in), master);
    byte[] head = Arrays.copyOf(in.array(), in.position());
    byte[] salt = sized(in);
    sized(in); // commitment
    byte[] key =
        Arrays.copyOf(
            hkdf(root, salt, info("ledgerkeep registry body 1", -1), KEY_BYTES + SECRET_BYTES),
            KEY_BYTES);
    add(root);
    add(key);
    readBody(ByteBuffer.wrap(opened(key, head, sized(in))));
  }

  private void readBody(ByteBuffer in) throws GeneralSecurityException {
    for (int devices = varint(in); devices > 0; devices--) {
      raw(in, SECRET_BYTES);
      varint(in);
      varint(in);
      in.getLong();
    }
    List<byte[]> dataKeys = new ArrayList<>();
    for (int left = varint(in); left > 0; left--) {
      varint(in);
      varint(in);
      varint(in);
      raw(in, 2 + Long.BYTES);
      dataKeys.add(raw(in, SECRET_BYTES));
    }
    dataKeys.forEach(this::add);
    for (int left = varint(in); left > 0; left--) {
      int number = varint(in);
      byte[] dataKey = dataKeys.get(varint(in) - 1);
      byte[] salt = raw(in, SECRET_BYTES);
      in.getLong();
      byte[] info = info("ledgerkeep values 1", number);
      add(Arrays.copyOf(hkdf(dataKey, salt, info, KEY_BYTES + NONCE_BYTES), KEY_BYTES));
    }
    readArchive(in);
    if (in.hasRemaining()) {
      throw new AssertionError("the registry has more than the book says");
    }
  }

  private void readArchive(ByteBuffer in) {
    for (int holders = varint(in); holders > 0; holders--) {
      raw(in, ID_BYTES);
      sized(in);
      sized(in);
      add(raw(in, SECRET_BYTES));
      sized(in);
    }
    for (int keys = varint(in); keys > 0; keys--) {
      varint(in);
      varint(in);
      varint(in);
      raw(in, 1);
      add(raw(in, SECRET_BYTES));
      raw(in, SECRET_BYTES);
    }
    for (int retired = varint(in); retired > 0; retired--) {
      raw(in, ID_BYTES);
    }
  }

  private byte[] unwrapped(byte[] wrapped, byte[] master) throws GeneralSecurityException {
    byte[] salt = Arrays.copyOfRange(wrapped, 1, 1 + SECRET_BYTES);
    ByteBuffer info = ByteBuffer.allocate(26);
    info.put("ledgerkeep wrapped key 1".getBytes(US_ASCII)).putShort((short) SUITE);
    byte[] key = hkdf(master, salt, info.array(), KEY_BYTES);
    byte[] label = "ledgerkeep registry root 1".getBytes(US_ASCII);
    byte[] context = Arrays.copyOf(label, label.length + ledgerId.length);
    System.arraycopy(ledgerId, 0, context, label.length, ledgerId.length);
    return opened(key, context, Arrays.copyOfRange(wrapped, 1 + SECRET_BYTES, wrapped.length));
  }

  /** Returns label, suite, ledger id, and a number unless it is negative. */
  private byte[] info(String label, int number) {
    ByteBuffer info = ByteBuffer.allocate(label.length() + 4 + 16 + (number < 0 ? 0 : 4));
    info.put(label.getBytes(US_ASCII)).putInt(SUITE).put(ledgerId);
    if (number >= 0) {
      info.putInt(number);
    }
    return info.array();
  }

  private static byte[] opened(byte[] key, byte[] context, byte[] bytes)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(
        Cipher.DECRYPT_MODE,
        new SecretKeySpec(key, "AES"),
        new GCMParameterSpec(TAG_BITS, new byte[NONCE_BYTES]));
    cipher.updateAAD(context);
    return cipher.doFinal(bytes);
  }

  /** RFC 5869 with SHA-256. */
  private static byte[] hkdf(byte[] input, byte[] salt, byte[] info, int bytes)
      throws GeneralSecurityException {
    byte[] extracted = hmac(salt, input);
    byte[] output = new byte[bytes];
    byte[] block = {};
    for (int done = 0, n = 1; done < bytes; n++) {
      byte[] next = Arrays.copyOf(block, block.length + info.length + 1);
      System.arraycopy(info, 0, next, block.length, info.length);
      next[next.length - 1] = (byte) n;
      block = hmac(extracted, next);
      int some = Math.min(block.length, bytes - done);
      System.arraycopy(block, 0, output, done, some);
      done += some;
    }
    return output;
  }

  private static byte[] hmac(byte[] key, byte[] message) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(message);
  }

  private void add(byte[] secret) {
    secrets.add(new String(secret, ISO_8859_1));
  }

  private static byte[] sized(ByteBuffer in) {
    return raw(in, varint(in));
  }

  private static byte[] raw(ByteBuffer in, int size) {
    byte[] bytes = new byte[size];
    in.get(bytes);
    return bytes;
  }

  private static int varint(ByteBuffer in) {
    int value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = in.get();
      value |= (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }
}
