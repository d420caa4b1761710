package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.ledgerkeep.cli.monitor.Machine.Room;
import io.ledgerkeep.cli.monitor.Machine.Running;
import io.ledgerkeep.cli.monitor.ThisMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the machine tells of this process is set against what it tells by other ways. */
@Timeout(60)
final class ThisMachineTest {

  @TempDir private Path directory;
  private final ThisMachine machine = new ThisMachine();

  private Running self() {
    return machine.process(ProcessHandle.current().pid()).orElseThrow();
  }

  @Test
  void aProcessIsToldByItsStartAndCpu() {
    Duration before = ProcessHandle.current().info().totalCpuDuration().orElseThrow();
    Running self = self();
    assertThat(self.started()).isEqualTo(ProcessHandle.current().info().startInstant());
    assertThat(self.cpu().orElseThrow())
        .isBetween(before, ProcessHandle.current().info().totalCpuDuration().orElseThrow());
  }

  @Test
  void memoryAndBytesAreThoseOfTheSystem() throws IOException {
    assumeThat(Path.of("/proc/self/io")).as("what only Linux tells").isReadable();
    long heap = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    assertThat(self().memoryBytes().orElseThrow()).isGreaterThan(heap / 2).isLessThan(1L << 40);
    long read = io("read_bytes");
    long written = io("write_bytes");
    Running self = self();
    assertThat(self.readBytes().orElseThrow()).isBetween(read, io("read_bytes"));
    assertThat(self.writtenBytes().orElseThrow()).isBetween(written, io("write_bytes"));
  }

  private static long io(String name) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/io")).stream()
        .filter(line -> line.startsWith(name + ": "))
        .mapToLong(line -> Long.parseLong(line.substring(name.length() + 2)))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void childrenAreToldByTheirArguments() throws IOException, InterruptedException {
    Process child = new ProcessBuilder("sleep", "98765").start();
    try {
      assertThat(self().children()).contains(List.of("98765"));
    } finally {
      child.destroyForcibly().waitFor();
    }
    assertThat(machine.process(child.pid())).isEmpty();
  }

  @Test
  void theRoomIsThatOfTheDisk() throws IOException {
    Room room = machine.room(directory);
    assertThat(room.totalBytes()).isEqualTo(Files.getFileStore(directory).getTotalSpace());
    assertThat(room.freeBytes()).isPositive().isLessThan(room.totalBytes());
  }
}
