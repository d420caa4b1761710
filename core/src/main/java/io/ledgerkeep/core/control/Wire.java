package io.ledgerkeep.core.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.common.base.Throwables;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.job.JobControl;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Writes and reads the values of the API as JSON: records as objects with their components, what is
 * empty as {@code null}, bytes in hexadecimal digits, times and durations in the forms of ISO 8601.
 * Only what a declared type names is ever made. Of a {@link JobControl} only the rate goes over.
 */
final class Wire {

  private static final JsonFactory JSON = new JsonFactory();

  private Wire() {}

  /** Returns a line with an object of the fields; a value of one is what {@link #tree} gives. */
  static String line(Map<String, @Nullable Object> fields) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      write(json, fields);
    } catch (IOException e) {
      throw new AssertionError("it goes into memory", e);
    }
    return text.toString();
  }

  private static void write(JsonGenerator json, @Nullable Object value) throws IOException {
    if (value == null) {
      json.writeNull();
    } else if (value instanceof Map<?, ?> fields) {
      json.writeStartObject();
      for (Map.Entry<?, ?> field : fields.entrySet()) {
        json.writeFieldName(String.valueOf(field.getKey()));
        write(json, field.getValue());
      }
      json.writeEndObject();
    } else if (value instanceof List<?> items) {
      json.writeStartArray();
      for (Object item : items) {
        write(json, item);
      }
      json.writeEndArray();
    } else if (value instanceof Boolean flag) {
      json.writeBoolean(flag);
    } else if (value instanceof Number number) {
      json.writeNumber(number.longValue());
    } else {
      json.writeString(value.toString());
    }
  }

  /** Reads an object. */
  static Map<String, @Nullable Object> object(String line) throws IOException {
    try (JsonParser json = JSON.createParser(line)) {
      json.nextToken();
      if (read(json) instanceof Map<?, ?> fields) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        fields.forEach((name, value) -> object.put((String) name, value));
        return object;
      }
      throw new IOException("a line is no object");
    }
  }

  private static @Nullable Object read(JsonParser json) throws IOException {
    JsonToken token = json.currentToken();
    if (token == null) {
      throw new IOException("a line is empty");
    }
    switch (token) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String name = json.currentName();
          json.nextToken();
          fields.put(name, read(json));
        }
        return fields;
      }
      case START_ARRAY -> {
        List<@Nullable Object> items = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
          items.add(read(json));
        }
        return items;
      }
      case VALUE_STRING -> {
        return json.getText();
      }
      case VALUE_NUMBER_INT -> {
        return json.getLongValue();
      }
      case VALUE_TRUE, VALUE_FALSE -> {
        return json.getBooleanValue();
      }
      case VALUE_NULL -> {
        return null;
      }
      default -> throw new IOException("a line has " + token);
    }
  }

  // ------------------------------------------------------------------------------------ to JSON

  /**
   * Returns what is written for a value.
   *
   * @throws ConfigurationException if it is something that only its own process can use
   */
  static @Nullable Object tree(@Nullable Object value) {
    if (value == null || value instanceof Boolean || value instanceof String) {
      return value;
    }
    if (value instanceof Long || value instanceof Integer) {
      return value;
    }
    if (value instanceof Optional<?> optional) {
      return tree(optional.orElse(null));
    }
    if (value instanceof OptionalLong optional) {
      return optional.isPresent() ? optional.getAsLong() : null;
    }
    if (value instanceof OptionalInt optional) {
      return optional.isPresent() ? optional.getAsInt() : null;
    }
    if (value instanceof Bytes bytes) {
      return bytes.hex();
    }
    if (value instanceof Options options) {
      return new LinkedHashMap<>(options.asMap());
    }
    if (value instanceof JobControl control) {
      return tree(control.maxBytesPerSecond());
    }
    if (value instanceof Enum<?> constant) {
      return constant.name();
    }
    if (value instanceof Path path) {
      return path.toAbsolutePath().normalize().toString();
    }
    if (value instanceof Instant || value instanceof Duration || value instanceof UUID) {
      return value.toString();
    }
    if (value instanceof List<?> items) {
      List<@Nullable Object> tree = new ArrayList<>();
      items.forEach(item -> tree.add(tree(item)));
      return tree;
    }
    if (value instanceof Map<?, ?> entries) {
      Map<String, @Nullable Object> tree = new LinkedHashMap<>();
      entries.forEach((key, item) -> tree.put(String.valueOf(tree(key)), tree(item)));
      return tree;
    }
    if (value instanceof Record record) {
      return fields(record);
    }
    throw new ConfigurationException(
        "what is a %s cannot be told to the process that has the ledger open; have that process do it"
            .formatted(value.getClass().getSimpleName()));
  }

  private static Map<String, @Nullable Object> fields(Record record) {
    Map<String, @Nullable Object> tree = new LinkedHashMap<>();
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      try {
        tree.put(component.getName(), tree(component.getAccessor().invoke(record)));
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(component + " is public", e);
      }
    }
    return tree;
  }

  // ------------------------------------------------------------------------------------ from JSON

  /**
   * Makes the value of a declared type out of what was read.
   *
   * @param control stands for a {@link JobControl}, which gets the rate that was read
   * @throws IllegalArgumentException if it is none of the type
   */
  static @Nullable Object value(Type type, @Nullable Object tree, JobControl control) {
    if (type instanceof ParameterizedType generic) {
      return generic(generic, tree, control);
    }
    if (!(type instanceof Class<?> is)) {
      throw new IllegalArgumentException("nothing is made of " + type);
    }
    if (is == OptionalLong.class) {
      return tree == null ? OptionalLong.empty() : OptionalLong.of((Long) tree);
    }
    if (is == OptionalInt.class) {
      return tree == null ? OptionalInt.empty() : OptionalInt.of(Math.toIntExact((Long) tree));
    }
    if (is == JobControl.class) {
      return tree == null ? control : control.atMost((Long) tree);
    }
    if (tree == null) {
      return null;
    }
    if (is == long.class || is == Long.class || is == boolean.class || is == String.class) {
      return tree;
    }
    if (is == int.class || is == Integer.class) {
      return Math.toIntExact((Long) tree);
    }
    if (is.isEnum()) {
      return constant(is, (String) tree);
    }
    if (is.isRecord()) {
      return record(is, (Map<?, ?>) tree, control);
    }
    return ofText(is, tree);
  }

  private static Object constant(Class<?> type, String name) {
    for (Object constant : type.getEnumConstants()) {
      if (((Enum<?>) constant).name().equals(name)) {
        return constant;
      }
    }
    throw new IllegalArgumentException("there is no %s %s".formatted(type.getSimpleName(), name));
  }

  private static Object ofText(Class<?> type, Object tree) {
    if (type == Options.class) {
      Map<String, String> options = new LinkedHashMap<>();
      ((Map<?, ?>) tree).forEach((name, text) -> options.put((String) name, (String) text));
      return Options.of(options);
    }
    String text = (String) tree;
    if (type == Bytes.class) {
      return Bytes.fromHex(text);
    }
    if (type == Path.class) {
      return Path.of(text);
    }
    if (type == Instant.class) {
      return Instant.parse(text);
    }
    if (type == Duration.class) {
      return Duration.parse(text);
    }
    throw new IllegalArgumentException("nothing is made of " + type);
  }

  private static @Nullable Object generic(
      ParameterizedType type, @Nullable Object tree, JobControl control) {
    Type[] of = type.getActualTypeArguments();
    if (type.getRawType() == Optional.class) {
      return Optional.ofNullable(tree == null ? null : value(of[0], tree, control));
    }
    if (type.getRawType() == List.class) {
      List<@Nullable Object> items = new ArrayList<>();
      ((List<?>) Objects.requireNonNull(tree))
          .forEach(item -> items.add(value(of[0], item, control)));
      return items;
    }
    if (type.getRawType() == Map.class) {
      Map<@Nullable Object, @Nullable Object> entries = new LinkedHashMap<>();
      ((Map<?, ?>) Objects.requireNonNull(tree))
          .forEach(
              (key, item) -> entries.put(value(of[0], key, control), value(of[1], item, control)));
      return entries;
    }
    throw new IllegalArgumentException("nothing is made of " + type);
  }

  private static Object record(Class<?> type, Map<?, ?> tree, JobControl control) {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    @Nullable Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      values[i] = value(components[i].getGenericType(), tree.get(components[i].getName()), control);
    }
    try {
      Constructor<?> canonical = type.getConstructor(types);
      return canonical.newInstance(values);
    } catch (InvocationTargetException e) {
      Throwables.throwIfUnchecked(e.getTargetException());
      throw new IllegalArgumentException(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException("nothing is made of " + type, e);
    }
  }
}
