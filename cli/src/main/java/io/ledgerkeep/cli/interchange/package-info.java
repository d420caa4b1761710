/**
 * The interchange format: JSON Lines, one block a line, keys in a fixed order, no spaces. Begin
 * reading at {@link io.ledgerkeep.cli.interchange.BlockLines}.
 *
 * <p>What the writer writes is the canonical form: one chain has exactly one text, so that two
 * exports can be compared byte by byte. The reader is strict where a general JSON reader is lenient
 * (base64 with stray bits, overlong UTF-8, a key given twice): what it accepts has one meaning
 * only. Both stream: no line is ever held as text.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.cli.interchange;
