package io.ledgerkeep.core.archiving;

import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.JobRecord;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finishes or discards what an interrupted job left, before another one begins. */
final class Leftovers {

  private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);

  private Leftovers() {}

  static void settle(Site site, ArchiveLink link) {
    ChainStore chain = site.chain();
    Optional<JobRecord> found = chain.job();
    if (found.isEmpty()) {
      return;
    }
    JobRecord job = found.get();
    LOG.info(
        "settling an interrupted {} job, heights {} to {}",
        job.step().job(),
        job.firstHeight(),
        job.lastHeight());
    if (job.step() == JobRecord.Step.REPLACE) {
      if (link.finishReplacing(job.attempt())) {
        site.room().during(chain::endJob);
      }
      return;
    }
    if (job.step() != JobRecord.Step.WRITE) {
      // Bodies that the archive has: those at or below the pivot go.
      site.room().during(() -> chain.deleteArchivedBodies(job.firstHeight(), job.lastHeight()));
      site.room().during(() -> chain.compactBodies(1, Math.max(1, job.lastHeight())));
    }
    if (job.attempt().isEmpty() || link.discard(job.attempt())) {
      site.room().during(chain::endJob);
    }
  }
}
