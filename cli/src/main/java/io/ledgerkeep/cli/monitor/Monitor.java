package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.Units;
import io.ledgerkeep.cli.certs.CertificateCheck;
import io.ledgerkeep.cli.certs.CertificateDirectory;
import io.ledgerkeep.cli.certs.CertificateEntry;
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

  /** Says what a sidecar that its owner started serves; behind it the directory. */
  private static final String SIDECAR_ROOT = "--root";

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
   * @param token tries the token of the master key, if that is in one and it is to be tried
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
      Optional<TokenCheck> token) {

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

  /**
   * What a look at everything found.
   *
   * @param findings one of each thing, be it well or not
   * @param measures the same in numbers, as far as there are any
   */
  public record Round(List<Finding> findings, List<Measure> measures) {

    /** Copies the lists. */
    public Round {
      findings = List.copyOf(findings);
      measures = List.copyOf(measures);
    }
  }

  /** Looks at everything once. */
  public Round round() {
    Measures measures = new Measures();
    List<Finding> findings = findings(measures);
    measures.findings(findings);
    return new Round(findings, measures.taken());
  }

  private List<Finding> findings(Measures measures) {
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
        measures.status(status, process.isPresent(), now);
        if (!request.peerHeights().isEmpty()) {
          measures.peers(owner.behind(status));
        }
        findings.add(ArchiveCheck.of(status, request.archive(), measures));
      }
    } catch (IOException e) {
      findings.add(Finding.wrong(OwnerChecks.OWNER, FileTrouble.of(e)));
    }
    process.ifPresent(measures::load);
    findings.addAll(load.of(process, now));
    findings.addAll(places(status, process, now, measures));
    findings.addAll(keys(status));
    findings.addAll(certificates(now, measures));
    return findings;
  }

  /** The disks of all directories, and the sidecar if a database is on that engine. */
  private List<Finding> places(
      @Nullable OwnerStatus status,
      Optional<Machine.Running> process,
      Instant now,
      Measures measures) {
    List<Finding> findings = new ArrayList<>();
    findings.add(disks.of("ledger", request.data(), now, measures));
    List<Layout.Place> places = List.of();
    try {
      places = Layout.read(request.data());
    } catch (IOException e) {
      findings.add(Finding.wrong("layout", FileTrouble.of(e)));
    }
    for (Layout.Place place : places) {
      findings.add(disks.of(place.database(), place.directory(), now, measures));
    }
    ArchiveCheck.place(status, request.archive())
        .filter(Files::exists)
        .ifPresent(archive -> findings.add(disks.of(ArchiveCheck.ARCHIVE, archive, now, measures)));
    if (places.stream().anyMatch(place -> place.engine().equals(SIDECAR_ENGINE))) {
      findings.add(sidecar(places, process, measures));
    }
    return findings;
  }

  private Finding sidecar(
      List<Layout.Place> places, Optional<Machine.Running> process, Measures measures) {
    if (request.sidecar().isPresent()) {
      String address = request.sidecar().get();
      try {
        machine.connect(address);
        measures.sidecar(true);
        return Finding.note(SIDECAR, "listens at " + address);
      } catch (IOException e) {
        measures.sidecar(false);
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
    return child(places, process.get().children(), measures);
  }

  /** Every database on that engine must have one: an owner may have other ledgers too. */
  private static Finding child(
      List<Layout.Place> places, List<List<String>> children, Measures measures) {
    Optional<Layout.Place> without =
        places.stream()
            .filter(place -> place.engine().equals(SIDECAR_ENGINE))
            .filter(place -> children.stream().noneMatch(child -> serves(child, place)))
            .findFirst();
    if (without.isPresent() && children.contains(List.<String>of())) {
      return Finding.note(
          SIDECAR, "not known here: the owner's children do not tell what they are");
    }
    measures.sidecar(without.isEmpty());
    return without
        .map(
            place ->
                Finding.warning(
                    SIDECAR,
                    "no child of the owner serves %s; the owner starts it with its next call"
                        .formatted(place.directory())))
        .orElse(Finding.note(SIDECAR, "runs as a child of the owner"));
  }

  private static boolean serves(List<String> arguments, Layout.Place place) {
    int at = arguments.indexOf(SIDECAR_ROOT);
    return at >= 0
        && at + 1 < arguments.size()
        && absolute(place.directory()).startsWith(absolute(Path.of(arguments.get(at + 1))));
  }

  private static Path absolute(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path.toAbsolutePath().normalize();
    }
  }

  private List<Finding> keys(@Nullable OwnerStatus status) {
    List<Finding> findings = new ArrayList<>();
    if (status != null && !status.encryption().isEmpty()) {
      findings.add(KeyCheck.of(status));
    }
    request.token().map(TokenCheck::look).ifPresent(findings::add);
    return findings;
  }

  private List<Finding> certificates(Instant now, Measures measures) {
    if (request.certificates().isEmpty()) {
      return List.of();
    }
    try {
      CertificateDirectory directory = CertificateDirectory.read(request.certificates().get());
      directory
          .entries()
          .forEach(
              entry ->
                  entry
                      .certificate()
                      .ifPresent(
                          own ->
                              measures.certificate(
                                  entry.name(), CertificateEntry.daysLeft(own, now))));
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
