package io.ledgerkeep.cli.interchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.ledgerkeep.Transaction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MalformedLinesTest {

  /** What of a good line becomes what, and the field that is named then. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        // keys
        "'height':7,          => 'heigth':7,              | heigth",
        "'height':7,          =>                          | height",
        "'kind':'normal',     => 'height':7,              | height",
        "'payload':''         => 'payload':'','x':1       | transactions[1].x",
        "'id':'t2',           =>                          | transactions[1].id",
        "'txId':'t2',         => 'txId':'t2','txId':'t2', | rwSets[1].txId",
        ",'value':null}],     => }],                      | rwSets[0].reads[0].value",
        // types and numbers
        "'height':7           => 'height':'7'             | height",
        "'height':7           => 'height':-7              | height",
        "'height':7           => 'height':07              | height",
        "'height':7           => 'height':7.0             | height",
        "'height':7           => 'height':7e0             | height",
        "'height':7           => 'height':null            | height",
        "'height':7           => 'height':9223372036854775808 | height",
        "'height':7           => 'height':99999999999999999999999 | height",
        "'normal'             => 'Normal'                 | kind",
        "'normal'             => 'other'                  | kind",
        "'normal'             => null                     | kind",
        "'0a0b'               => '0A0B'                   | hash",
        "'0a0b'               => '0a0'                    | hash",
        "'0a0b'               => '0a0g'                   | hash",
        "'transactions':[     => 'transactions':{         | transactions",
        "{'id':'t1'           => ['id':'t1'               | transactions[0]",
        "'id':'t1'            => 'id':1                   | transactions[0].id",
        "'cGF5'               => null                     | transactions[0].payload",
        "'key':'aw==','value':null => 'key':null,'value':null | rwSets[0].reads[0].key",
        "'value':'dg=='       => 'value':nil              | rwSets[0].writes[0].value",
        "'value':'dg=='       => 'value':false            | rwSets[0].writes[0].value",
        // base64
        "'AAEC'               => 'AAE'                    | header",
        "'AAEC'               => 'AAEC===='               | header",
        "'AAEC'               => 'AA=CAAEC'               | header",
        "'AAEC'               => 'AAE C'                  | header",
        "'AAEC'               => 'AAE\\u0043'             | header",
        "'/+8='               => '/+8'                    | additional",
        "'/+8='               => '/+9='                   | additional",
        "'/+8='               => '_-8='                   | additional",
        "'dg=='               => 'dh=='                   | rwSets[0].writes[0].value",
        "'dg=='               => 'dg='                    | rwSets[0].writes[0].value",
        // texts
        "'t1','payload'       => 't\\x','payload'         | transactions[0].id",
        "'t1','payload'       => 't\\ud800','payload'     | transactions[0].id",
        "'t1','payload'       => 't\\ud800\\u0041','payload' | transactions[0].id",
        "'t1','payload'       => 't\\udc00','payload'     | transactions[0].id",
        "'t1','payload'       => 't\\u12g4','payload'     | transactions[0].id",
        "'t1','payload'       => 't\t1','payload'         | transactions[0].id",
        // what the records themselves refuse
        "'t1','payload'       => '','payload'             | transactions[0]",
        "'txId':'t1'          => 'txId':'t3'              | ",
        "'normal'             => 'genesis'                | ",
        "'0a0b'               => ''                       | ",
        // the line
        "{'height'            => [{'height'               | ",
        "{'height'            => \ufeff{'height'          | ",
        "'writes':[]}]}       => 'writes':[]}]}x          | ",
        "'writes':[]}]}       => 'writes':[]}]}{}         | ",
        "'writes':[]}]}       => 'writes':[]}]            | ",
        "'writes':[]}]}       => 'writes':[],}]}          | rwSets[1]",
      })
  void oneWrongThingIsRefusedNamingLineAndField(String change) {
    String[] parts = change.replace('\'', '"').split(" *=> *| *\\| *", -1);
    assertThat(Lines.FULL).contains(parts[0]);
    InterchangeException thrown =
        refused(Lines.FULL + Lines.FULL.replace(parts[0], parts[1]) + Lines.FULL);
    assertThat(thrown.line()).isEqualTo(2);
    assertThat(thrown.field()).isEqualTo(parts[2]);
    assertThat(thrown)
        .hasMessageStartingWith(
            "line 2" + (parts[2].isEmpty() ? "" : ", field " + parts[2]) + ": ");
  }

  @Test
  void aLineBreakWithinABlockIsRefused() {
    assertThat(refused(Lines.FULL.replace("\"transactions\":[", "\"transactions\":[\n")).field())
        .isEqualTo("transactions[0]");
  }

  @Test
  void anEmptyLineIsRefused() {
    assertThat(refused(Lines.FULL + "\n" + Lines.FULL)).hasMessage("line 2: the line is empty");
    assertThat(refused(Lines.FULL + "\n").line()).isEqualTo(2);
    assertThat(refused("\n").line()).isEqualTo(1);
  }

  @Test
  void twoBlocksOnALineAreRefused() {
    assertThat(refused(Lines.FULL.strip() + Lines.FULL))
        .hasMessage("line 1: expected the end of the line, found '{'");
  }

  @Test
  void invalidUtf8IsRefused() {
    // overlong, half a surrogate pair, no beginning, no end
    for (String bad :
        new String[] {"\u00c0\u0080", "\u00ed\u00a0\u0080", "\u00ff", "\u00e2\u0082"}) {
      String line = Lines.FULL.replace("t1", bad);
      assertThat(refused(line.getBytes(StandardCharsets.ISO_8859_1)))
          .hasMessage("line 1, field transactions[0].id: the text is not valid UTF-8");
    }
  }

  @Test
  void everyCutOfALineIsRefused() {
    byte[] line = Lines.FULL.strip().getBytes(StandardCharsets.UTF_8);
    for (int length = 1; length < line.length; length++) {
      InterchangeException thrown = refused(Arrays.copyOf(line, length));
      assertThat(thrown.line()).as("cut after %d bytes", length).isEqualTo(1);
    }
  }

  @Test
  void limitsAreKeptWhileReading() {
    String longId = "x".repeat(Transaction.MAX_ID_BYTES + 1);
    assertThat(refused(Lines.FULL.replace("\"t1\",\"p", '"' + longId + "\",\"p")).field())
        .isEqualTo("transactions[0].id");
    String payload =
        Base64.getEncoder().encodeToString(new byte[Transaction.MAX_PAYLOAD_BYTES + 1]);
    assertThat(refused(Lines.FULL.replace("cGF5", payload)).field())
        .isEqualTo("transactions[0].payload");
  }

  private static InterchangeException refused(String lines) {
    return refused(lines.getBytes(StandardCharsets.UTF_8));
  }

  private static InterchangeException refused(byte[] lines) {
    InterchangeException thrown =
        catchThrowableOfType(InterchangeException.class, () -> Lines.read(lines));
    assertThat(thrown).isNotNull();
    return thrown;
  }
}
