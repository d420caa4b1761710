package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"io.ledgerkeep/badger/server/internal/damage"
	"io.ledgerkeep/badger/server/internal/lease"
	"io.ledgerkeep/badger/server/internal/listen"
	"io.ledgerkeep/badger/server/internal/metrics"
	"io.ledgerkeep/badger/server/internal/service"
	"io.ledgerkeep/badger/server/internal/tlsconf"
)

// sidecar is what serves.
type sidecar struct {
	config   config
	log      *slog.Logger
	measures *metrics.Set
	leases   *lease.Leases
	service  *service.Service
	servers  []server
	ended    chan error
}

// server is one address with what answers there.
type server struct {
	address string
	serve   func() error
	drain   func()
	stop    func()
}

// serve serves until the context ends, and then stops gracefully.
func serve(ctx context.Context, c config, announce io.Writer, log *slog.Logger) error {
	s, err := newSidecar(c, log)
	if err != nil {
		return err
	}
	background, end := context.WithCancel(context.Background())
	defer end()
	if err := s.open(background); err != nil {
		s.stop()
		return err
	}
	for _, one := range s.servers {
		go func() { s.ended <- one.serve() }()
	}
	if err := s.announce(announce); err != nil {
		s.stop()
		return err
	}
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case err = <-s.ended:
	}
	return errors.Join(err, s.drain())
}

func newSidecar(c config, log *slog.Logger) (*sidecar, error) {
	if err := os.MkdirAll(c.root, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the root: %w", err)
	}
	root, err := filepath.Abs(c.root)
	if err != nil {
		return nil, fmt.Errorf("cannot find the root: %w", err)
	}
	if c.memoryBytes > 0 {
		debug.SetMemoryLimit(c.memoryBytes)
	}
	if !damage.Complete {
		log.Warn("built without the correction of Badger; a rare kind of damage may go unnoticed: use the script build")
	}
	c.store.Log = log
	s := &sidecar{config: c, log: log, measures: metrics.New(), ended: make(chan error, 4)}
	s.leases = lease.New(root, c.store, c.leaseGrace)
	s.service, err = service.New(s.leases, c.store.Limits(), s.measures, log)
	return s, err
}

func (s *sidecar) open(background context.Context) error {
	if path := s.config.socket; path != "" {
		listener, err := listen.Unix(path)
		if err != nil {
			return err
		}
		s.add("unix:"+path, listener, everyone, nil)
	}
	if address := s.config.insecurePlaintext; address != "" {
		listener, err := listen.Loopback(address)
		if err != nil {
			return err
		}
		s.log.Warn("serving without TLS: every user of this machine can read and write", "address", listener.Addr().String())
		s.add("plaintext:"+listener.Addr().String(), listener, everyone, nil)
	}
	if s.config.listen != "" {
		if err := s.openTLS(background); err != nil {
			return err
		}
	}
	if s.config.metrics != "" {
		return s.openMetrics()
	}
	return nil
}

func everyone(context.Context) error { return nil }

func (s *sidecar) openTLS(background context.Context) error {
	guard, err := tlsconf.Load(s.config.tls, s.config.tlsOverlap, s.log, s.measures)
	if err != nil {
		return err
	}
	listener, err := listen.TCP(s.config.listen)
	if err != nil {
		return err
	}
	go guard.Watch(background, s.config.tlsReload)
	s.add("tls:"+listener.Addr().String(), listener, guard.Admit, credentials.NewTLS(guard.Config()))
	return nil
}

func (s *sidecar) add(address string, listener net.Listener, admit func(context.Context) error, tls credentials.TransportCredentials) {
	options := append(s.service.Options(admit),
		grpc.MaxRecvMsgSize(service.MaxMessageBytes(s.config.store.Limits())),
		grpc.MaxConcurrentStreams(8192),
		grpc.InitialWindowSize(1<<20),
		grpc.InitialConnWindowSize(8<<20),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 15 * time.Second, Timeout: 10 * time.Second}),
	)
	if tls != nil {
		options = append(options, grpc.Creds(tls))
	}
	g := grpc.NewServer(options...)
	s.service.Register(g)
	s.servers = append(s.servers, server{
		address: address,
		serve:   func() error { return g.Serve(listener) },
		drain:   g.GracefulStop,
		stop:    g.Stop,
	})
}

func (s *sidecar) announce(to io.Writer) error {
	addresses := make([]string, 0, len(s.servers))
	for _, one := range s.servers {
		addresses = append(addresses, one.address)
	}
	line, err := json.Marshal(struct {
		Ready     bool     `json:"ready"`
		Instance  string   `json:"instance"`
		Address   string   `json:"address"`
		Addresses []string `json:"addresses"`
	}{true, s.service.Instance(), addresses[0], addresses})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(to, "%s\n", line)
	return err
}

// drain lets calls end by themselves for a time. The streams of leases do not, so the stores are
// closed first, which ends them after the calls inside.
func (s *sidecar) drain() error {
	s.service.Stopping()
	ctx, cancel := context.WithTimeout(context.Background(), s.config.drainTime)
	defer cancel()
	err := s.leases.Stop(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, one := range s.servers {
			one.drain()
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.log.Warn("calls are still under way; they are cut off")
	}
	s.stop()
	<-done
	return err
}

func (s *sidecar) stop() {
	for _, one := range s.servers {
		one.stop()
	}
}
