// Package tlsconf decides who may speak to the sidecar over TCP: clients whose certificate is signed by
// an authority of ours and is not on the deny list. Its files are read again when they change.
package tlsconf

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"io.ledgerkeep/badger/server/internal/metrics"
)

// Files are where certificates, keys and the deny list are; Deny may be empty.
type Files struct{ Certificate, Key, ClientCA, Deny string }

// contents are what the files held when they were read.
type contents struct{ certificate, key, clientCA, deny []byte }

func (f Files) read() (c contents, err error) {
	for _, one := range []struct {
		path string
		into *[]byte
	}{{f.Certificate, &c.certificate}, {f.Key, &c.key}, {f.ClientCA, &c.clientCA}, {f.Deny, &c.deny}} {
		if one.path == "" {
			continue
		}
		if *one.into, err = os.ReadFile(one.path); err != nil {
			return c, fmt.Errorf("cannot read a file of TLS: %w", err)
		}
	}
	return c, nil
}

func (c contents) equal(o contents) bool {
	return bytes.Equal(c.certificate, o.certificate) && bytes.Equal(c.key, o.key) &&
		bytes.Equal(c.clientCA, o.clientCA) && bytes.Equal(c.deny, o.deny)
}

// authorities are those of one version of the file of client CAs.
type authorities struct {
	certificates []*x509.Certificate
	// until is when they are no longer accepted, zero for the newest.
	until time.Time
}

// Guard holds what is in force.
type Guard struct {
	files    Files
	overlap  time.Duration
	log      *slog.Logger
	measures *metrics.Set
	now      func() time.Time

	mu          sync.RWMutex
	read        contents
	certificate *tls.Certificate
	accepted    []authorities // the newest first
	denied      denyList
	warned      time.Time
	known       known
}

// Load reads the files for the first time.
func Load(files Files, overlap time.Duration, log *slog.Logger, measures *metrics.Set) (*Guard, error) {
	g := &Guard{files: files, overlap: overlap, log: log, measures: measures, now: time.Now}
	g.defineMeasures()
	read, err := files.read()
	if err != nil {
		return nil, err
	}
	if err := g.use(read); err != nil {
		return nil, err
	}
	g.Look()
	return g, nil
}

// Watch reads the files again every so often, until the context ends.
func (g *Guard) Watch(ctx context.Context, every time.Duration) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			g.Look()
		}
	}
}

// Look reads the files again, and once a day tells of what expires soon.
func (g *Guard) Look() {
	g.Reload()
	g.mu.Lock()
	due := g.now().Sub(g.warned) >= 24*time.Hour
	if due {
		g.warned = g.now()
	}
	g.mu.Unlock()
	if due {
		g.warnOfExpiry()
	}
}

// Reload reads the files again and uses them if they changed and are whole; else what was in force
// stays.
func (g *Guard) Reload() {
	read, err := g.files.read()
	g.mu.RLock()
	same := err == nil && read.equal(g.read)
	g.mu.RUnlock()
	if same {
		return
	}
	if err == nil {
		err = g.use(read)
	}
	if err != nil {
		g.measures.Add(reloadFailures, 1)
		g.log.Error("the files of TLS are not usable; what was in force stays", "error", err)
		return
	}
	g.log.Info("the files of TLS were read anew")
}

// use puts what was read in force, all or nothing.
func (g *Guard) use(read contents) error {
	certificate, err := tls.X509KeyPair(read.certificate, read.key)
	if err != nil {
		return fmt.Errorf("certificate and key do not make a pair: %w", err)
	}
	newest, err := parseAuthorities(read.clientCA)
	if err != nil {
		return err
	}
	denied, err := parseDenyList(read.deny)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !bytes.Equal(read.clientCA, g.read.clientCA) {
		g.accepted = append([]authorities{{certificates: newest}}, g.outgoing()...)
	}
	g.read, g.certificate, g.denied = read, &certificate, denied
	g.known.forget()
	return nil
}

// outgoing returns the authorities so far, which are accepted for the overlap only.
func (g *Guard) outgoing() []authorities {
	var still []authorities
	for _, a := range g.accepted {
		if a.until.IsZero() {
			a.until = g.now().Add(g.overlap)
		}
		if a.until.After(g.now()) {
			still = append(still, a)
		}
	}
	return still
}

// Config is that of the listener. What is in force is asked for at each handshake.
func (g *Guard) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAnyClientCert,
		NextProtos: []string{"h2"},
		// A resumed session would keep the decision of an earlier handshake.
		SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			g.mu.RLock()
			defer g.mu.RUnlock()
			return g.certificate, nil
		},
		VerifyConnection: func(state tls.ConnectionState) error { return g.check(state) },
	}
}

// Admit decides about a call by the certificate of its connection, which may be older than what is in
// force.
func (g *Guard) Admit(ctx context.Context) error {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return status.Error(codes.Unauthenticated, "no peer")
	}
	info, ok := from.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return status.Error(codes.Unauthenticated, "no TLS")
	}
	if g.known.has(info.State.PeerCertificates, g.now()) {
		return nil
	}
	if err := g.check(info.State); err != nil {
		return status.Error(codes.PermissionDenied, "the client's certificate is not accepted")
	}
	return nil
}

var errUntrusted = errors.New("the client's certificate is not signed by an authority that is accepted")

func (g *Guard) check(state tls.ConnectionState) error {
	err := g.decide(state.PeerCertificates)
	if err != nil {
		g.measures.Add(refusedClients, 1)
	}
	return err
}

func (g *Guard) decide(chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("the client has no certificate")
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.denied.has(chain[0]) {
		return errors.New("the client's certificate is on the deny list")
	}
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: g.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, a := range g.accepted {
		if a.until.IsZero() || a.until.After(g.now()) {
			for _, certificate := range a.certificates {
				options.Roots.AddCert(certificate)
			}
		}
	}
	for _, certificate := range chain[1:] {
		options.Intermediates.AddCert(certificate)
	}
	chains, err := chain[0].Verify(options)
	if err != nil {
		return errUntrusted
	}
	for _, one := range chains {
		if !g.deniesAny(one) {
			g.known.add(chain, g.now())
			return nil
		}
	}
	return errors.New("an authority of the client's certificate is on the deny list")
}

func (g *Guard) deniesAny(chain []*x509.Certificate) bool {
	for _, certificate := range chain {
		if g.denied.has(certificate) {
			return true
		}
	}
	return false
}

// Fingerprint is the SHA-256 of a certificate, as in the deny list.
func Fingerprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return hex.EncodeToString(sum[:])
}
