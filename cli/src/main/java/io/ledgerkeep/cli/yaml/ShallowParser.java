package io.ledgerkeep.cli.yaml;

import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.ParserException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/** Parses YAML that is not nested deeply: the composer calls itself for each level. */
final class ShallowParser extends ParserImpl {

  static final int MAX_DEPTH = 200;

  private int depth;

  ShallowParser(LoadSettings settings, StreamReader reader) {
    super(settings, reader);
  }

  @Override
  public Event next() {
    Event event = super.next();
    switch (event.getEventId()) {
      case MappingStart, SequenceStart -> descend(event);
      case MappingEnd, SequenceEnd -> depth--;
      default -> {
        // stays on its level
      }
    }
    return event;
  }

  private void descend(Event event) {
    if (++depth > MAX_DEPTH) {
      throw new ParserException(
          "nested more than " + MAX_DEPTH + " levels deep", event.getStartMark());
    }
  }
}
