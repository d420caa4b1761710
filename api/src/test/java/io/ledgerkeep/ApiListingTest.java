package io.ledgerkeep;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.GenericDeclaration;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Keeps {@code api/api.txt}: everything that others compile against, one line each, sorted, so that
 * no change of it goes unseen. To write it anew: {@code ./mvnw -pl api test -Dapi.update=true}.
 */
final class ApiListingTest {

  private static final Path LISTING = Path.of(System.getProperty("basedir", ""), "api.txt");
  private static final Set<String> OF_EVERY_OBJECT = Set.of("equals", "hashCode", "toString");

  @Test
  void nothingPublicChangesUnseen() throws Exception {
    String found = exportedTypes().flatMap(ApiListingTest::lines).sorted().collect(joining("\n"));
    if (Boolean.getBoolean("api.update")) {
      Files.writeString(LISTING, found + "\n");
    }
    assertThat(Files.readString(LISTING))
        .as("the API is not what %s lists; if that is meant: -Dapi.update=true", LISTING)
        .isEqualTo(found + "\n");
  }

  private static Stream<Class<?>> exportedTypes() throws Exception {
    URI compiled = Ledgerkeep.class.getProtectionDomain().getCodeSource().getLocation().toURI();
    Path classes = Path.of(compiled);
    List<Class<?>> types = new ArrayList<>();
    for (ModuleDescriptor.Exports exported : descriptor(classes).exports()) {
      Path directory = classes.resolve(exported.source().replace('.', '/'));
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
          String name = file.getFileName().toString().replace(".class", "");
          if (!name.equals("package-info")) {
            types.add(Class.forName(exported.source() + "." + name));
          }
        }
      }
    }
    return types.stream().filter(ApiListingTest::isReachable);
  }

  private static ModuleDescriptor descriptor(Path classes) throws IOException {
    try (InputStream in = Files.newInputStream(classes.resolve("module-info.class"))) {
      return ModuleDescriptor.read(in);
    }
  }

  private static boolean isReachable(Class<?> type) {
    Class<?> outer = type.getEnclosingClass();
    return isReachable(type.getModifiers())
        && !type.isAnonymousClass()
        && (outer == null || isReachable(outer));
  }

  private static boolean isReachable(int modifiers) {
    return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
  }

  // ------------------------------------------------------------------------------------ lines

  private static Stream<String> lines(Class<?> type) {
    Stream<Member> members =
        Stream.of(
                Arrays.<Member>stream(type.getDeclaredConstructors()),
                Arrays.<Member>stream(type.getDeclaredMethods())
                    .filter(method -> !OF_EVERY_OBJECT.contains(method.getName())),
                Arrays.<Member>stream(type.getDeclaredFields()))
            .flatMap(stream -> stream)
            .filter(member -> isReachable(member.getModifiers()) && !member.isSynthetic());
    return Stream.concat(
        Stream.of(typeLine(type)),
        members.map(member -> type.getName() + " ." + memberLine(member)));
  }

  private static String typeLine(Class<?> type) {
    StringBuilder line = new StringBuilder(type.getName()).append(" : ");
    line.append(modifiers(type.getModifiers() & ~Modifier.INTERFACE));
    line.append(type.isSealed() ? "sealed " : "").append(kind(type)).append(parameters(type));
    if (type.getGenericSuperclass() != null) {
      line.append(" extends ").append(type.getGenericSuperclass().getTypeName());
    }
    if (type.getInterfaces().length > 0) {
      line.append(" implements ").append(names(type.getGenericInterfaces()));
    }
    if (type.isRecord()) {
      line.append(
          Arrays.stream(type.getRecordComponents())
              .map(
                  component -> component.getGenericType().getTypeName() + " " + component.getName())
              .collect(joining(", ", " (", ")")));
    }
    return line.toString();
  }

  private static String kind(Class<?> type) {
    if (type.isInterface()) {
      return "interface";
    }
    return type.isEnum() ? "enum" : type.isRecord() ? "record" : "class";
  }

  private static String memberLine(Member member) {
    String modifiers = modifiers(member.getModifiers() & ~Modifier.TRANSIENT & ~Modifier.VOLATILE);
    if (member instanceof Method method) {
      return "%s(%s) : %s%s%s%s"
          .formatted(
              method.getName(),
              names(method.getGenericParameterTypes()),
              method.isDefault() ? "default " : modifiers,
              parameters(method),
              method.getGenericReturnType().getTypeName(),
              thrown(method.getGenericExceptionTypes()));
    }
    if (member instanceof Constructor<?> constructor) {
      return "new(%s) : %s%s"
          .formatted(
              names(constructor.getGenericParameterTypes()),
              modifiers.strip(),
              thrown(constructor.getGenericExceptionTypes()));
    }
    Field field = (Field) member;
    return field.getName()
        + " : "
        + modifiers
        + field.getGenericType().getTypeName()
        + value(field);
  }

  /** Constants are compiled into what uses them, so that their values are part of the API. */
  private static String value(Field field) {
    Class<?> type = field.getType();
    if (!Modifier.isStatic(field.getModifiers()) || !(type.isPrimitive() || type == String.class)) {
      return "";
    }
    try {
      return " = " + field.get(null);
    } catch (IllegalAccessException e) {
      throw new AssertionError("a public field of a public type", e);
    }
  }

  private static String modifiers(int modifiers) {
    String text = Modifier.toString(modifiers);
    return text.isEmpty() ? "" : text + " ";
  }

  private static String parameters(GenericDeclaration declaration) {
    TypeVariable<?>[] variables = declaration.getTypeParameters();
    return variables.length == 0
        ? ""
        : Arrays.stream(variables)
            .map(variable -> variable.getName() + " extends " + names(variable.getBounds()))
            .collect(joining(", ", "<", "> "));
  }

  private static String thrown(Type[] types) {
    return types.length == 0 ? "" : " throws " + names(types);
  }

  private static String names(Type[] types) {
    return Arrays.stream(types).map(Type::getTypeName).collect(joining(", "));
  }
}
