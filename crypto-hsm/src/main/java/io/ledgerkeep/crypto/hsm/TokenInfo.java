package io.ledgerkeep.crypto.hsm;

/**
 * What a token tells about itself.
 *
 * @param route which way leads to it: {@code native} or {@code sunpkcs11}
 * @param library the library that was loaded, for people
 * @param label its label, without the blanks at the end
 * @param serial its serial number, without the blanks at the end
 * @param maker manufacturer and model
 * @param sessions how many of our calls it serves at once
 */
record TokenInfo(
    String route, String library, String label, String serial, String maker, int sessions) {}
