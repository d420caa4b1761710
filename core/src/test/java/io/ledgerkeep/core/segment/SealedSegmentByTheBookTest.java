package io.ledgerkeep.core.segment;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import io.ledgerkeep.Block;
import io.ledgerkeep.core.sealing.SampleArchiveKeys;
import io.ledgerkeep.testkit.SampleChain;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/** Opens a sealed segment with nothing but docs/format.md, the JVM's ciphers and the root. */
final class SealedSegmentByTheBookTest {

  private static final int AES_256_GCM = 259;

  @Test
  void aSealedSegmentIsWhatThePageSays() throws Exception {
    List<Block> blocks =
        SampleChain.builder()
            .transactionsPerBlock(8)
            .payloadBytes(4000)
            .build()
            .blocks(40)
            .toList();
    byte[] plain = Segments.of(blocks).write();
    byte[] sealed =
        Segments.of(blocks)
            .under(SampleArchiveKeys.key(Segments.ID, 7, SampleArchiveKeys.AES_256, 5))
            .write();

    assertThat(sealed[14]).isEqualTo((byte) 1);
    assertThat(ByteBuffer.wrap(sealed).getInt(120)).isEqualTo(7);
    ByteBuffer info = ByteBuffer.allocate(20 + 4 + 124);
    info.put("ledgerkeep segment 1".getBytes(StandardCharsets.US_ASCII));
    info.putInt(AES_256_GCM).put(sealed, 0, 124);
    byte[] salt = Arrays.copyOfRange(sealed, 124, 156);
    byte[] material = hkdf(SampleArchiveKeys.root(5), salt, info.array());
    assertThat(Arrays.copyOfRange(material, 44, 76))
        .isEqualTo(Arrays.copyOfRange(sealed, 156, 188));

    Map<Integer, byte[]> streams = streams(sealed, material);
    assertThat(streams.keySet()).contains(1, 2, 3, 4, 5, 6);
    assertThat(streams).usingRecursiveComparison().isEqualTo(streams(plain, null));
  }

  /** Returns the decoded streams by their codes. */
  private static Map<Integer, byte[]> streams(byte[] file, byte[] material)
      throws GeneralSecurityException {
    Map<Integer, ByteArrayOutputStream> streams = new TreeMap<>();
    int at = 192;
    for (int number = 0; file[at + 4] != 8; number++) {
      ByteBuffer header = ByteBuffer.wrap(file, at, 40).slice();
      int size = header.getInt(16);
      byte[] stored = Arrays.copyOfRange(file, at + 40, at + 40 + size);
      int flags = file[at + 5];
      assertThat(flags & 4).isEqualTo(material == null ? 0 : 4);
      if (material != null) {
        stored = open(material, number, Arrays.copyOfRange(file, at, at + 32), stored);
      }
      streams
          .computeIfAbsent((int) file[at + 4], code -> new ByteArrayOutputStream())
          .writeBytes((flags & 1) == 0 ? stored : Zstd.decompress(stored, header.getInt(12)));
      at += 40 + size;
    }
    Map<Integer, byte[]> all = new TreeMap<>();
    streams.forEach((code, bytes) -> all.put(code, bytes.toByteArray()));
    return all;
  }

  private static byte[] open(byte[] material, int number, byte[] bound, byte[] stored)
      throws GeneralSecurityException {
    ByteBuffer nonce = ByteBuffer.wrap(Arrays.copyOfRange(material, 32, 44));
    nonce.putInt(8, nonce.getInt(8) ^ number);
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(
        Cipher.DECRYPT_MODE,
        new SecretKeySpec(material, 0, 32, "AES"),
        new GCMParameterSpec(128, nonce.array()));
    cipher.updateAAD(bound);
    return cipher.doFinal(stored);
  }

  private static byte[] hkdf(byte[] secret, byte[] salt, byte[] info)
      throws GeneralSecurityException {
    byte[] extracted = hmac(salt, secret);
    ByteBuffer derived = ByteBuffer.allocate(96);
    byte[] block = new byte[0];
    for (int number = 1; number <= 3; number++) {
      ByteBuffer data = ByteBuffer.allocate(block.length + info.length + 1);
      block = hmac(extracted, data.put(block).put(info).put((byte) number).array());
      derived.put(block);
    }
    return derived.array();
  }

  private static byte[] hmac(byte[] key, byte[] data) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(data);
  }
}
