package tlsconf

import (
	"crypto/x509"
	"time"

	"io.ledgerkeep/badger/server/internal/metrics"
)

const (
	expiry         = "ledgerkeep_badger_tls_expiry_seconds"
	reloadFailures = "ledgerkeep_badger_tls_reload_failures_total"
	refusedClients = "ledgerkeep_badger_tls_refused_total"
	warnAhead      = 30 * 24 * time.Hour
)

func (g *Guard) defineMeasures() {
	g.measures.Define(expiry, metrics.Gauge, "When the certificate, and the first of the client CAs, expire, in seconds since 1970.")
	g.measures.Define(reloadFailures, metrics.Counter, "How often files of TLS that had changed were not usable.")
	g.measures.Define(refusedClients, metrics.Counter, "Handshakes and calls that were refused for the client's certificate.")
	g.measures.Add(reloadFailures, 0)
	g.measures.Add(refusedClients, 0)
	g.measures.Source(func(*metrics.Set) {
		for what, at := range g.expiries() {
			g.measures.Put(expiry, float64(at.Unix()), "of", what)
		}
	})
}

// expiries returns when the certificate, and the first of the newest authorities, expire.
func (g *Guard) expiries() map[string]time.Time {
	g.mu.RLock()
	defer g.mu.RUnlock()
	found := map[string]time.Time{}
	if leaf, err := x509.ParseCertificate(g.certificate.Certificate[0]); err == nil {
		found["certificate"] = leaf.NotAfter
	}
	first := g.accepted[0].certificates[0].NotAfter
	for _, certificate := range g.accepted[0].certificates {
		if certificate.NotAfter.Before(first) {
			first = certificate.NotAfter
		}
	}
	found["client-ca"] = first
	return found
}

// warnOfExpiry tells in the log what expires soon.
func (g *Guard) warnOfExpiry() {
	for what, at := range g.expiries() {
		if left := at.Sub(g.now()); left < warnAhead {
			g.log.Warn("TLS expires soon; put a new file in its place", "what", what, "days", int(left.Hours()/24))
		}
	}
}
