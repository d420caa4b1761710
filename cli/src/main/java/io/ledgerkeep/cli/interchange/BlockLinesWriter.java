package io.ledgerkeep.cli.interchange;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.Flushable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * Writes blocks as lines of the interchange format, in canonical form. For one thread. Never holds
 * more of a line than a buffer.
 */
public final class BlockLinesWriter implements Closeable, Flushable {

  /** Divisible by 3, so that the pieces of a long field join without padding. */
  private static final int PIECE_BYTES = 48 << 10;

  private final OutputStream out;

  /** Creates a writer of plain text. Closing the writer closes the stream. */
  public BlockLinesWriter(OutputStream out) {
    this.out = new BufferedOutputStream(out, 64 << 10);
  }

  /** Writes the block and ends the line. */
  public void write(Block block) throws IOException {
    ascii("{\"height\":");
    ascii(Long.toString(block.height()));
    ascii(",\"kind\":\"");
    ascii(BlockLines.name(block.kind()));
    ascii("\",\"hash\":\"");
    ascii(block.hash().hex());
    ascii("\",\"previousHash\":\"");
    ascii(block.previousHash().hex());
    ascii("\",\"header\":");
    base64(block.header());
    ascii(",\"additional\":");
    base64(block.additional());
    ascii(",\"transactions\":");
    array(block.transactions(), this::transaction);
    ascii(",\"rwSets\":");
    array(block.rwSets(), this::rwSet);
    ascii("}\n");
  }

  /** Writes the transaction on a line of its own, as it stands within a block. */
  public void write(Transaction transaction) throws IOException {
    transaction(transaction);
    out.write('\n');
  }

  /** Writes the read/write set on a line of its own, as it stands within a block. */
  public void write(RwSet rwSet) throws IOException {
    rwSet(rwSet);
    out.write('\n');
  }

  @Override
  public void flush() throws IOException {
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  private void transaction(Transaction transaction) throws IOException {
    ascii("{\"id\":");
    text(transaction.id());
    ascii(",\"payload\":");
    base64(transaction.payload());
    out.write('}');
  }

  private void rwSet(RwSet rwSet) throws IOException {
    ascii("{\"txId\":");
    text(rwSet.txId());
    ascii(",\"reads\":");
    array(rwSet.reads(), read -> entry(read.namespace(), read.key(), read.value()));
    ascii(",\"writes\":");
    array(rwSet.writes(), write -> entry(write.namespace(), write.key(), write.value()));
    out.write('}');
  }

  private void entry(String namespace, Bytes key, Optional<Bytes> value) throws IOException {
    ascii("{\"namespace\":");
    text(namespace);
    ascii(",\"key\":");
    base64(key);
    ascii(",\"value\":");
    if (value.isPresent()) {
      base64(value.get());
    } else {
      ascii("null");
    }
    out.write('}');
  }

  /** Writes one element of an array. */
  private interface Element<T> {
    void write(T element) throws IOException;
  }

  private <T> void array(List<T> elements, Element<T> writer) throws IOException {
    out.write('[');
    for (int i = 0; i < elements.size(); i++) {
      if (i > 0) {
        out.write(',');
      }
      writer.write(elements.get(i));
    }
    out.write(']');
  }

  private void base64(Bytes bytes) throws IOException {
    out.write('"');
    for (int from = 0; from < bytes.size(); from += PIECE_BYTES) {
      Bytes piece = bytes.slice(from, Math.min(bytes.size(), from + PIECE_BYTES));
      out.write(Base64.getEncoder().encode(piece.toArrayUnsafe()));
    }
    out.write('"');
  }

  private void text(String text) throws IOException {
    out.write('"');
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      if (b == '"' || b == '\\') {
        out.write('\\');
        out.write(b);
      } else if (b >= 0 && b < 0x20) {
        ascii(controlEscape(b));
      } else {
        out.write(b);
      }
    }
    out.write('"');
  }

  private static String controlEscape(byte control) {
    return switch (control) {
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> String.format("\\u%04x", control);
    };
  }

  private void ascii(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.US_ASCII));
  }
}
