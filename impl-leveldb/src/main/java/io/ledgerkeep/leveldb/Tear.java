package io.ledgerkeep.leveldb;

import java.nio.file.Path;

/**
 * A file of which a crash of the machine left more than is whole.
 *
 * @param file a log or a manifest
 * @param wholeBytes how far it is whole
 */
record Tear(Path file, long wholeBytes) {}
