package io.ledgerkeep.archive;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.OptionalLong;

/**
 * Keeps named, immutable objects: the segments and the manifest of archives.
 *
 * <p>A store keeps these rules; the contract test of the testkit has a test named after each.
 *
 * <ol>
 *   <li>A name is made of parts of lower-case letters, digits, hyphens and dots, joined by {@code
 *       /}; no part is empty or begins with a dot. Any other name is refused with {@link
 *       IllegalArgumentException}. No name goes on, after a {@code /}, where another one ends.
 *   <li>{@link #put} writes an object once: when it returns the object is whole, durable and seen
 *       by everyone. When it throws, or the process or machine dies, nothing of that name is seen.
 *   <li>An object that exists is never replaced: {@link ConflictException}. Of several writers of a
 *       name one wins.
 *   <li>{@link #get} returns exactly the bytes asked for that lie within the object; fewer only
 *       where the object ends.
 *   <li>{@link #list} returns the names of whole objects only, in ascending order.
 *   <li>{@link #delete} is durable when it returns; deleting what does not exist does nothing.
 *   <li>The store serves any number of threads. After {@link #close} every method throws {@link
 *       IllegalStateException}; closing twice does nothing.
 *   <li>A failure of the medium, a full one too, is a {@link StorageException}; it is never taken
 *       for an absent object.
 * </ol>
 */
public interface ArchiveStore extends AutoCloseable {

  /** Writes the content of an object to the stream that the store hands it. */
  @FunctionalInterface
  interface Content {

    /**
     * Writes everything; the store closes the stream. Called once. An {@link IOException} of its
     * own becomes a {@link StorageException}; anything else it throws passes through.
     */
    void writeTo(OutputStream out) throws IOException;
  }

  /** Returns where the store is, for messages; no secrets. */
  String place();

  /**
   * Writes an object once. What the content throws passes through, and nothing is seen.
   *
   * @throws ConflictException if an object of that name exists
   * @throws StorageException if the medium fails
   */
  void put(String name, Content content);

  /** Returns the size of the object in bytes, or empty where there is none. */
  OptionalLong size(String name);

  /**
   * Returns the bytes of the object from the offset on, at most {@code length} of them.
   *
   * @throws StorageException if there is no such object, or the medium fails
   */
  Bytes get(String name, long offset, int length);

  /** Returns the names that begin with the prefix, in ascending order. */
  List<String> list(String prefix);

  /** Removes the object if it exists. */
  void delete(String name);

  /** Closes the store; closing it twice does nothing. */
  @Override
  void close();
}
