/** The storage engine over LevelDB, the embedded default. */
module io.ledgerkeep.leveldb {
  requires io.ledgerkeep.api;
  requires leveldbjni.all;
  requires org.slf4j;
  requires static org.jspecify;
}
