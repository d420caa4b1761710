package io.ledgerkeep.core.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class MerkleTreeTest {

  private final MessageDigest digest = Digests.SHA256.newDigest();

  /** The tree hash as section 2.1 of RFC 6962 defines it: split at the largest power of two. */
  private Bytes definition(List<Bytes> data) {
    if (data.isEmpty()) {
      return hash();
    }
    if (data.size() == 1) {
      return hash(Bytes.wrap(new byte[] {0}), data.get(0));
    }
    int split = Integer.highestOneBit(data.size() - 1);
    return hash(
        Bytes.wrap(new byte[] {1}),
        definition(data.subList(0, split)),
        definition(data.subList(split, data.size())));
  }

  private Bytes hash(Bytes... parts) {
    for (Bytes part : parts) {
      digest.update(part.toArray());
    }
    return Bytes.wrap(digest.digest());
  }

  private Bytes root(List<Bytes> data) {
    List<Bytes> leaves = new ArrayList<>();
    data.forEach(bytes -> leaves.add(MerkleTree.leaf(digest, Rope.of(bytes))));
    return MerkleTree.root(digest, leaves);
  }

  @Test
  void theRootIsTheTreeHashOfTheRfc() {
    Random random = new Random(1);
    List<Bytes> data = new ArrayList<>();
    for (int size = 0; size <= 140; size++) {
      assertThat(root(data)).as("%s leaves", size).isEqualTo(definition(data));
      byte[] next = new byte[random.nextInt(40)];
      random.nextBytes(next);
      data.add(Bytes.wrap(next));
    }
  }

  @Test
  void theRootsAreThosePublishedForTheRfc() {
    List<Bytes> data = new ArrayList<>();
    List<String> roots =
        List.of(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    List<String> leaves =
        List.of(
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f");
    assertThat(root(data).hex()).isEqualTo(roots.get(0));
    for (int i = 0; i < leaves.size(); i++) {
      data.add(Bytes.fromHex(leaves.get(i)));
      assertThat(root(data).hex()).isEqualTo(roots.get(i + 1));
    }
  }

  @Test
  void aRootMayBeAskedForBetweenTwoLeaves() {
    MerkleTree tree = new MerkleTree(digest);
    List<Bytes> data = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      assertThat(tree.root()).isEqualTo(definition(data));
      Bytes next = Bytes.ofUtf8("leaf " + i);
      data.add(next);
      tree.add(MerkleTree.leaf(digest, Rope.of(next)));
    }
  }

  @Test
  void aLeafIsThatOfTheJoinedParts() {
    Bytes whole = Bytes.ofUtf8("abcdef");
    assertThat(MerkleTree.leaf(digest, Rope.of(whole.slice(0, 2), whole.slice(2, 6))))
        .isEqualTo(MerkleTree.leaf(digest, Rope.of(whole)));
  }
}
