package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.Units;
import io.ledgerkeep.cli.certs.CertificateCheck;
import io.ledgerkeep.cli.certs.CertificateDirectory;
import io.ledgerkeep.cli.report.FileTrouble;
import io.ledgerkeep.cli.report.Finding;
import io.ledgerkeep.cli.report.Finding.Severity;
import io.ledgerkeep.error.LedgerkeepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Looks at a ledger and at what it runs on, in rounds; remembers what it saw in earlier ones. */
public final class Monitor {

  /** The name of the process of the Badger engine, and of the engine itself in a layout. */
  private static final String SIDECAR_PROGRAM = "ledgerkeep-badger";

  private static final String SIDECAR_ENGINE = "badgerdb";
  private static final String SIDECAR = "sidecar";
  private static final String CERTIFICATES = "certificates";

  private final Request request;
  private final OwnerStatus.Source source;
  private final Machine machine;
  private final OwnerChecks owner;
  private final LoadChecks load = new LoadChecks();
  private final DiskChecks disks;

  /**
   * What is asked.
   *
   * @param data the directory of the ledger
   * @param archive the directory of the archive; without it, the one the owner names
   * @param peerHeights the heights of other nodes
   * @param maxLag how far below the highest of them is still well
   * @param maxSilence how long the height may stand still; empty if for ever
   * @param minFree what is to stay free on every disk
   * @param certificates a directory of certificates
   * @param warnDays how many days before its end a certificate is told of
   * @param sidecar the address of a sidecar that runs by itself
   * @param tokenKey whether the configuration names a master key in a token
   */
  public record Request(
      Path data,
      Optional<Path> archive,
      List<Long> peerHeights,
      long maxLag,
      Optional<Duration> maxSilence,
      MinFree minFree,
      Optional<Path> certificates,
      long warnDays,
      Optional<String> sidecar,
      boolean tokenKey) {

    /** Copies the heights. */
    public Request {
      peerHeights = List.copyOf(peerHeights);
    }
  }

  /** Makes a monitor that has seen nothing yet. */
  public Monitor(Request request, OwnerStatus.Source source, Machine machine) {
    this.request = request;
    this.source = source;
    this.machine = machine;
    this.owner = new OwnerChecks(request);
    this.disks = new DiskChecks(request.minFree(), machine);
  }

  /** Returns whether there is a ledger to look at. */
  public boolean hasLedger() {
    return Files.exists(Layout.file(request.data()));
  }

  /** Looks at everything once, and returns a finding of each thing, be it well or not. */
  public List<Finding> round() {
    Instant now = machine.now();
    List<Finding> findings = new ArrayList<>();
    @Nullable OwnerStatus status = null;
    Optional<Machine.Running> process = Optional.empty();
    try {
      status = source.read();
      if (status == null) {
        findings.add(
            Finding.warning(OwnerChecks.OWNER, "nobody had the ledger open here: no status.json"));
      } else {
        process = OwnerChecks.process(status, machine);
        findings.addAll(owner.of(status, process.isPresent(), now));
        findings.add(ArchiveCheck.of(status, request.archive()));
      }
    } catch (IOException e) {
      findings.add(Finding.wrong(OwnerChecks.OWNER, FileTrouble.of(e)));
    }
    findings.addAll(load.of(process, now));
    findings.addAll(places(status, process, now));
    findings.addAll(keys(status));
    findings.addAll(certificates(now));
    return List.copyOf(findings);
  }

  /** The disks of all directories, and the sidecar if a database is on that engine. */
  private List<Finding> places(
      @Nullable OwnerStatus status, Optional<Machine.Running> process, Instant now) {
    List<Finding> findings = new ArrayList<>();
    findings.add(disks.of("ledger", request.data(), now));
    List<Layout.Place> places = List.of();
    try {
      places = Layout.read(request.data());
    } catch (IOException e) {
      findings.add(Finding.wrong("layout", FileTrouble.of(e)));
    }
    for (Layout.Place place : places) {
      findings.add(disks.of(place.database(), place.directory(), now));
    }
    ArchiveCheck.place(status, request.archive())
        .filter(Files::exists)
        .ifPresent(archive -> findings.add(disks.of(ArchiveCheck.ARCHIVE, archive, now)));
    if (places.stream().anyMatch(place -> place.engine().equals(SIDECAR_ENGINE))) {
      findings.add(sidecar(places, process));
    }
    return findings;
  }

  private Finding sidecar(List<Layout.Place> places, Optional<Machine.Running> process) {
    if (request.sidecar().isPresent()) {
      String address = request.sidecar().get();
      try {
        machine.connect(address);
        return Finding.note(SIDECAR, "listens at " + address);
      } catch (IOException e) {
        return Finding.wrong(
            SIDECAR, "nobody answers at " + address + ": " + FileTrouble.of(e) + "; start it");
      }
    }
    if (places.stream().anyMatch(place -> Files.exists(place.directory().resolve("SIDECAR")))) {
      return Finding.warning(
          SIDECAR,
          "runs by itself, and was not looked at: give the configuration that says where (--config)");
    }
    if (process.isEmpty()) {
      return Finding.note(SIDECAR, "is started and ended by the owner, and there is none");
    }
    List<String> children = process.get().children();
    if (children.stream().anyMatch(program -> program.endsWith(SIDECAR_PROGRAM))) {
      return Finding.note(SIDECAR, "runs as a child of the owner");
    }
    return children.contains("")
        ? Finding.note(SIDECAR, "not known here: the programs of the owner's children are not told")
        : Finding.warning(
            SIDECAR,
            "no child of the owner is called %s; the owner starts it with its next call"
                .formatted(SIDECAR_PROGRAM));
  }

  /** How much of its budget a key has used is in the ledger, which is not opened. */
  private List<Finding> keys(@Nullable OwnerStatus status) {
    List<Finding> findings = new ArrayList<>();
    if (status != null && !status.encryption().isEmpty()) {
      findings.add(
          Finding.note(
              "keys",
              "sealed with %s; budgets are told by 'tde status', which opens the ledger"
                  .formatted(status.encryption())));
    }
    if (request.tokenKey()) {
      findings.add(
          Finding.note("hsm", "the master key is in a token: 'hsm probe' tries it, with its PIN"));
    }
    return findings;
  }

  private List<Finding> certificates(Instant now) {
    if (request.certificates().isEmpty()) {
      return List.of();
    }
    try {
      CertificateDirectory directory = CertificateDirectory.read(request.certificates().get());
      List<Finding> found =
          CertificateCheck.findings(
              directory, new CertificateCheck.Request(request.warnDays(), List.of(), now));
      List<Finding> findings = new ArrayList<>();
      for (Finding finding : found) {
        if (finding.severity() != Severity.NOTE) {
          findings.add(
              new Finding(
                  finding.severity(), CERTIFICATES + " " + finding.subject(), finding.what()));
        }
      }
      if (findings.isEmpty()) {
        String names = Units.counted(directory.entries().size(), "name");
        findings.add(Finding.note(CERTIFICATES, names + ", nothing is wrong"));
      }
      return findings;
    } catch (IOException e) {
      return List.of(Finding.wrong(CERTIFICATES, FileTrouble.of(e)));
    } catch (LedgerkeepException e) {
      return List.of(Finding.wrong(CERTIFICATES, String.valueOf(e.getMessage())));
    }
  }
}
