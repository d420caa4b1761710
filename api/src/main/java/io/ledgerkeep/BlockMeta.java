package io.ledgerkeep;

/**
 * What stays on the node for every block for ever, also after its body was archived.
 *
 * @param height the height of the block
 * @param kind what the block is for
 * @param hash as the node computed it
 * @param previousHash the hash of the block before
 * @param header the header as the node made it
 * @param transactionCount the number of transactions, and of read/write sets
 * @param headerDigest the digest of the header
 * @param additionalDigest the digest of the additional bytes
 * @param transactionRoot the Merkle root over the transactions
 * @param rwSetRoot the Merkle root over the read/write sets
 * @param bodyBytes the encoded size of transactions, read/write sets and additional bytes
 */
public record BlockMeta(
    long height,
    Block.Kind kind,
    Bytes hash,
    Bytes previousHash,
    Bytes header,
    int transactionCount,
    Bytes headerDigest,
    Bytes additionalDigest,
    Bytes transactionRoot,
    Bytes rwSetRoot,
    long bodyBytes) {}
