/** YAML files in which nothing is passed over unnoticed: errors name the line and what is known. */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.cli.yaml;
