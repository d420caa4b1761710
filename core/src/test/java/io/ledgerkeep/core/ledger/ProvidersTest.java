package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProvidersTest {

  @TempDir Path directory;

  /** A provider that opens nothing. */
  public abstract static class Named implements StorageEngineProvider {
    private final String name;

    Named(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public StorageEngine open(Path directory, Options options) {
      throw new ConfigurationException("opened by " + getClass().getSimpleName());
    }
  }

  /** The one. */
  public static final class Red extends Named {
    /** Called by ServiceLoader. */
    public Red() {
      super("red");
    }
  }

  /** Another of the same name. */
  public static final class AlsoRed extends Named {
    /** Called by ServiceLoader. */
    public AlsoRed() {
      super("red");
    }
  }

  /** One of another name. */
  public static final class Blue extends Named {
    /** Called by ServiceLoader. */
    public Blue() {
      super("blue");
    }
  }

  /** Finds the providers that a test wants, beside those of the class path. */
  private final class Services extends ClassLoader {
    private final List<String> lines;

    Services(String... lines) {
      super(ProvidersTest.class.getClassLoader());
      this.lines = List.of(lines);
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      if (!name.equals("META-INF/services/" + StorageEngineProvider.class.getName())) {
        return super.getResources(name);
      }
      Path file = Files.createTempFile(directory, "services", "");
      Files.write(file, lines);
      URI uri = file.toUri();
      return java.util.Collections.enumeration(List.of(uri.toURL()));
    }
  }

  private static StorageEngineProvider named(String name, ClassLoader loader) {
    return Providers.named(
        name, "storage engine", StorageEngineProvider.class, StorageEngineProvider::name, loader);
  }

  private Services services(Class<?>... types) {
    return new Services(Stream.of(types).map(Class::getName).toArray(String[]::new));
  }

  @Test
  void aProviderIsFoundByItsName() {
    Services services = services(Red.class, Blue.class);
    assertThat(named("red", services)).isInstanceOf(Red.class);
    assertThat(named("blue", services)).isInstanceOf(Blue.class);
  }

  @Test
  void anUnknownNameIsRefusedWithTheKnownOnes() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> named("green", services(Red.class, Blue.class)))
        .withMessageContainingAll("storage engine", "'green'", "blue, red");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> named("green", services()))
        .withMessageContainingAll("'green'", "none");
  }

  @Test
  void twoProvidersOfOneNameAreRefusedNamingBoth() {
    for (String wanted : List.of("red", "blue", "green")) {
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> named(wanted, services(Red.class, Blue.class, AlsoRed.class)))
          .withMessageContainingAll("'red'", Red.class.getName(), AlsoRed.class.getName());
    }
  }

  /** A module and a jar on the class path may name the same class. */
  @Test
  void oneProviderThatIsNamedTwiceIsOne() {
    Services services = new Services(Red.class.getName(), Red.class.getName());
    assertThat(named("red", services)).isInstanceOf(Red.class);
  }

  @Test
  void aProviderThatCannotBeLoadedIsRefusedByName() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> named("red", new Services("io.ledgerkeep.NoSuchProvider")))
        .withMessageContainingAll("storage engine", "io.ledgerkeep.NoSuchProvider");
  }

  @Test
  void theLedgerLooksWhereItIsTold() {
    Settings settings = new World(directory.resolve("ledger")).settings();
    settings.engine = new Settings.NamedEngine("blue", Options.none());
    settings.classLoader = services(Red.class, Blue.class);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> new LedgerOpener(settings).open(true))
        .withMessage("opened by Blue");
    settings.classLoader = services(Red.class);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> new LedgerOpener(settings).open(true))
        .withMessageContainingAll("'blue'", "red");
  }
}
