package io.ledgerkeep.cli.interchange;

import com.github.luben.zstd.ZstdInputStream;
import com.github.luben.zstd.ZstdOutputStream;
import io.ledgerkeep.Block;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipException;

/**
 * Opens readers and writers of the interchange format. A name that ends in {@code .gz} or {@code
 * .zst} stands for a compressed file, any other for plain text.
 */
public final class BlockLines {

  private static final int GZIP_BUFFER_BYTES = 64 << 10;

  private BlockLines() {}

  /** Returns a reader of a file's content, uncompressed as the file's name says. */
  public static BlockLinesReader reader(String fileName, InputStream content) throws IOException {
    return new BlockLinesReader(decompress(fileName, content));
  }

  /** Returns a stream of a file's content, uncompressed as the file's name says. */
  public static InputStream decompress(String fileName, InputStream content) throws IOException {
    if (fileName.endsWith(".gz")) {
      return gunzip(fileName, content);
    }
    return fileName.endsWith(".zst") ? new ZstdInputStream(content) : content;
  }

  private static InputStream gunzip(String fileName, InputStream content) throws IOException {
    try {
      return new WholeGzipInputStream(content, GZIP_BUFFER_BYTES);
    } catch (ZipException | EOFException e) {
      throw new IOException(fileName + " ends in .gz, but its content is not gzip", e);
    }
  }

  /** Returns a stream whose bytes go to the file, compressed as the file's name says. */
  public static OutputStream compress(String fileName, OutputStream file) throws IOException {
    if (fileName.endsWith(".gz")) {
      return new GZIPOutputStream(file, GZIP_BUFFER_BYTES);
    }
    return fileName.endsWith(".zst") ? new ZstdOutputStream(file) : file;
  }

  static String name(Block.Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  static Optional<Block.Kind> kind(String name) {
    return Arrays.stream(Block.Kind.values()).filter(kind -> name(kind).equals(name)).findFirst();
  }
}
