/** A node on Ledgerkeep: it names the API alone; the rest is found at run time. */
module org.example.node {
  requires io.ledgerkeep.api;
}
