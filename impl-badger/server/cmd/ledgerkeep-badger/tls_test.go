package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/tlsconf"
	"io.ledgerkeep/badger/server/internal/tlstest"
)

// tlsSidecar is a sidecar with TLS whose files a test replaces.
type tlsSidecar struct {
	*process
	dir     string
	address string
	ca      *tlstest.Authority
}

func startTLS(t *testing.T, flags ...string) *tlsSidecar {
	t.Helper()
	s := &tlsSidecar{dir: t.TempDir(), address: freeAddress(t), ca: tlstest.NewAuthority(t, "first")}
	_, chain, key := s.ca.Leaf(t, "sidecar", time.Hour)
	s.write(t, "cert", chain)
	s.write(t, "key", key)
	s.write(t, "ca", s.ca.PEM)
	s.write(t, "deny", nil)
	s.process = start(t, t.TempDir(), append([]string{
		"--listen", s.address, "--tls-certificate", s.path("cert"), "--tls-key", s.path("key"), "--client-ca", s.path("ca"),
		"--deny", s.path("deny"), "--tls-reload", "20ms",
	}, flags...)...)
	return s
}

func (s *tlsSidecar) path(name string) string { return filepath.Join(s.dir, name) }

func (s *tlsSidecar) write(t *testing.T, name string, text []byte) {
	t.Helper()
	next := s.path(name + ".new")
	if err := os.WriteFile(next, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, s.path(name)); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (s *tlsSidecar) client(t *testing.T, with credentials.TransportCredentials) pb.EngineClient {
	t.Helper()
	conn, err := grpc.NewClient(s.address, grpc.WithTransportCredentials(with))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return pb.NewEngineClient(conn)
}

func (s *tlsSidecar) signedBy(t *testing.T, by *tlstest.Authority) pb.EngineClient {
	t.Helper()
	_, chain, key := by.Leaf(t, "client", time.Hour)
	return s.client(t, credentials.NewTLS(s.ca.Client(t, chain, key)))
}

func answers(engine pb.EngineClient) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := engine.Info(ctx, &pb.InfoRequest{})
	return err == nil
}

func TestOnlyClientsOfTheAuthorityGetAnything(t *testing.T) {
	s := startTLS(t)
	_, expired, expiredKey := s.ca.Leaf(t, "late", -time.Minute)
	_, chain, key := s.ca.Leaf(t, "old", time.Hour)
	old := s.ca.Client(t, chain, key)
	old.MaxVersion = tls.VersionTLS12
	if !answers(s.signedBy(t, s.ca)) {
		t.Error("expected an answer for a client of the authority")
	}
	for name, engine := range map[string]pb.EngineClient{
		"no certificate":    s.client(t, credentials.NewTLS(s.ca.Client(t, nil, nil))),
		"another authority": s.signedBy(t, tlstest.NewAuthority(t, "first")),
		"expired":           s.client(t, credentials.NewTLS(s.ca.Client(t, expired, expiredKey))),
		"TLS 1.2":           s.client(t, credentials.NewTLS(old)),
		"no TLS":            s.client(t, insecure.NewCredentials()),
	} {
		if answers(engine) {
			t.Errorf("%s: expected no answer", name)
		}
	}
}

func TestADeniedClientGetsNothingOnTheConnectionItHas(t *testing.T) {
	for _, by := range []string{"serial number", "fingerprint"} {
		t.Run(by, func(t *testing.T) {
			s := startTLS(t)
			certificate, chain, key := s.ca.Leaf(t, "client", time.Hour)
			denied, other := s.client(t, credentials.NewTLS(s.ca.Client(t, chain, key))), s.signedBy(t, s.ca)
			if !answers(denied) || !answers(other) {
				t.Fatal("expected answers")
			}
			entry := fmt.Sprintf("%X # stolen", certificate.SerialNumber)
			if by == "fingerprint" {
				entry = strings.ToUpper(tlsconf.Fingerprint(certificate))
			}
			s.write(t, "deny", []byte("\n"+entry+"\n"))
			within(t, 10*time.Second, "the client is refused", func() bool { return !answers(denied) })
			if !answers(other) {
				t.Error("expected answers for others")
			}
			s.write(t, "deny", nil)
			within(t, 10*time.Second, "the client is let in", func() bool { return answers(denied) })
		})
	}
}

func TestADeniedClientLosesItsLease(t *testing.T) {
	s := startTLS(t, "--lease-grace", "1ms")
	certificate, chain, key := s.ca.Leaf(t, "client", time.Hour)
	denied, other := s.client(t, credentials.NewTLS(s.ca.Client(t, chain, key))), s.signedBy(t, s.ca)
	hold(t, denied, "s", "denied")
	s.write(t, "deny", []byte(tlsconf.Fingerprint(certificate)+"\n"))
	within(t, 20*time.Second, "another owner is let in", func() bool {
		_, err := tryHold(t, other, &pb.HoldRequest{Store: "s", OwnerId: "other"})
		return err == nil
	})
}

func TestADeniedClientLoadsNothing(t *testing.T) {
	s := startTLS(t, "--lease-grace", "1h")
	certificate, chain, key := s.ca.Leaf(t, "client", time.Hour)
	denied := s.client(t, credentials.NewTLS(s.ca.Client(t, chain, key)))
	o := hold(t, denied, "s", "denied")
	load, err := denied.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := load.Send(&pb.LoadRequest{Part: &pb.LoadRequest_Ref{Ref: o.ref}}); err != nil {
		t.Fatal(err)
	}
	s.write(t, "deny", []byte(tlsconf.Fingerprint(certificate)+"\n"))
	within(t, 20*time.Second, "the stream is ended", func() bool { return load.Send(&pb.LoadRequest{}) != nil })
	if _, err := load.CloseAndRecv(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("expected PermissionDenied, found %v", err)
	}
}

func TestCertificatesAreReplacedWithoutAnEndOfService(t *testing.T) {
	s := startTLS(t, "--tls-overlap", "1h")
	before := s.signedBy(t, s.ca)
	if !answers(before) {
		t.Fatal("expected an answer")
	}
	second := tlstest.NewAuthority(t, "second")
	s.write(t, "ca", second.PEM)
	after := s.signedBy(t, second)
	within(t, 10*time.Second, "clients of the new authority are let in", func() bool { return answers(s.signedBy(t, second)) })
	if !answers(before) || !answers(after) || !answers(s.signedBy(t, s.ca)) {
		t.Error("expected answers for clients of both authorities during the overlap")
	}

	for name, broken := range map[string][]byte{"ca": []byte("no PEM"), "deny": []byte("no hex"), "cert": second.PEM} {
		whole, err := os.ReadFile(s.path(name))
		if err != nil {
			t.Fatal(err)
		}
		failures := reloadFailures(t, before)
		s.write(t, name, broken)
		within(t, 10*time.Second, "the failure is counted", func() bool { return reloadFailures(t, before) != failures })
		if !answers(s.signedBy(t, s.ca)) || !answers(s.signedBy(t, second)) {
			t.Errorf("broken %s: expected that what was in force stays", name)
		}
		s.write(t, name, whole)
	}
}

func reloadFailures(t *testing.T, engine pb.EngineClient) string {
	t.Helper()
	return measure(t, engine, "ledgerkeep_badger_tls_reload_failures_total")
}

func measure(t *testing.T, engine pb.EngineClient, name string) string {
	t.Helper()
	response, err := engine.Metrics(t.Context(), &pb.MetricsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(response.GetText(), "\n") {
		if strings.HasPrefix(line, name) {
			return line[strings.LastIndex(line, " ")+1:]
		}
	}
	t.Fatalf("expected a measure %s in %s", name, response.GetText())
	return ""
}

func TestTheOldAuthorityIsRefusedAfterTheOverlap(t *testing.T) {
	s := startTLS(t, "--tls-overlap", "0s")
	before := s.signedBy(t, s.ca)
	if !answers(before) {
		t.Fatal("expected an answer")
	}
	second := tlstest.NewAuthority(t, "second")
	s.write(t, "ca", second.PEM)
	within(t, 10*time.Second, "the old connection is refused", func() bool { return !answers(before) })
	if answers(s.signedBy(t, s.ca)) || !answers(s.signedBy(t, second)) {
		t.Error("expected that only the new authority counts")
	}
}

func TestHealthAndExpiryCanBeSeen(t *testing.T) {
	s := startTLS(t)
	if at := measure(t, s.engine, `ledgerkeep_badger_tls_expiry_seconds{of="certificate"}`); at == "0" {
		t.Errorf("found %s", at)
	}
	health := healthpb.NewHealthClient(s.conn)
	for _, name := range []string{"", "ledgerkeep.badger.v1.Engine"} {
		response, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
		if err != nil || response.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("found %v, %v", response, err)
		}
	}
	info, err := os.Stat(s.socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("expected a socket for this user only, found %v, %v", info.Mode(), err)
	}
}
