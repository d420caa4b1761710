package io.ledgerkeep.core.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class RopeTest {

  @Test
  void piecesAreFullButTheLastWhereverThePartsEnd() {
    Random random = new Random(3);
    for (int round = 0; round < 3000; round++) {
      List<Bytes> parts = new ArrayList<>();
      for (int i = random.nextInt(5); i > 0; i--) {
        byte[] part = new byte[random.nextInt(3) * random.nextInt(8)];
        random.nextBytes(part);
        parts.add(Bytes.wrap(part));
      }
      Rope rope = Rope.of(parts);
      int pieceBytes = 1 + random.nextInt(9);
      List<Bytes> pieces = rope.pieces(pieceBytes);

      assertThat(rope.size()).isEqualTo(parts.stream().mapToLong(Bytes::size).sum());
      assertThat(Rope.of(pieces).join()).isEqualTo(rope.join());
      for (int i = 0; i < pieces.size(); i++) {
        boolean isLast = i == pieces.size() - 1;
        assertThat(pieces.get(i).size()).isBetween(isLast ? 1 : pieceBytes, pieceBytes);
      }
    }
  }

  @Test
  void onePartIsJoinedWithoutACopy() {
    Bytes part = Bytes.ofUtf8("large");
    assertThat(Rope.of(part).join()).isSameAs(part);
    assertThat(Rope.of().join()).isEqualTo(Bytes.EMPTY);
    assertThat(Rope.of().pieces(5)).isEmpty();
  }
}
