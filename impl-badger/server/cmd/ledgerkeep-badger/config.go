package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"io.ledgerkeep/badger/server/internal/store"
	"io.ledgerkeep/badger/server/internal/tlsconf"
)

type config struct {
	root              string
	socket            string
	listen            string
	insecurePlaintext string
	metrics           string
	tls               tlsconf.Files
	tlsReload         time.Duration
	tlsOverlap        time.Duration
	leaseGrace        time.Duration
	drainTime         time.Duration
	stopWithStdin     bool
	memoryBytes       int64
	store             store.Options
}

func parse(args []string, usage io.Writer) (config, error) {
	var c config
	c.store = store.Defaults()
	f := flag.NewFlagSet("ledgerkeep-badger", flag.ContinueOnError)
	f.SetOutput(usage)
	f.StringVar(&c.root, "root", "", "the `directory` below which the stores are")
	f.StringVar(&c.socket, "socket", "", "listen on a unix socket at `path`, for this user only")
	f.StringVar(&c.listen, "listen", "", "listen on TCP at `host:port`, with mutual TLS")
	f.StringVar(&c.insecurePlaintext, "insecure-plaintext", "", "listen on TCP at a loopback `host:port`, for every user of this machine and without TLS")
	f.StringVar(&c.metrics, "metrics", "", "serve /metrics over HTTP at a loopback `host:port`")
	f.StringVar(&c.tls.Certificate, "tls-certificate", "", "the sidecar's certificate chain, a PEM `file`")
	f.StringVar(&c.tls.Key, "tls-key", "", "the key of the certificate, a PEM `file`")
	f.StringVar(&c.tls.ClientCA, "client-ca", "", "the authorities that sign clients, a PEM `file`")
	f.StringVar(&c.tls.Deny, "deny", "", "a `file` of certificates to refuse: a serial number in hex or a SHA-256 fingerprint per line")
	f.DurationVar(&c.tlsReload, "tls-reload", 10*time.Second, "how often to look whether these files have changed")
	f.DurationVar(&c.tlsOverlap, "tls-overlap", 24*time.Hour, "for how long authorities that were replaced are still accepted")
	f.DurationVar(&c.leaseGrace, "lease-grace", 10*time.Second, "for how long an owner whose connection broke keeps its store")
	f.DurationVar(&c.drainTime, "drain", 10*time.Second, "for how long calls may go on after the order to stop")
	f.BoolVar(&c.stopWithStdin, "stop-with-stdin", false, "stop when standard input ends")
	f.Int64Var(&c.memoryBytes, "memory-bytes", 0, "the memory to collect garbage more often at; 0 for none")
	f.Int64Var(&c.store.MemtableBytes, "memtable-bytes", c.store.MemtableBytes, "the memory for new writes, per store; a batch is an eighth at most")
	f.Int64Var(&c.store.BlockCacheBytes, "block-cache-bytes", c.store.BlockCacheBytes, "the memory for blocks that were read, per store")
	f.Int64Var(&c.store.ValueThreshold, "value-threshold", c.store.ValueThreshold, "values from this size on go to the value log")
	f.Int64Var(&c.store.MinFreeBytes, "min-free-bytes", c.store.MinFreeBytes, "refuse writes when less is free on disk, besides 4 memtables per store")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("expected flags only, found %q", f.Arg(0))
	}
	return c, c.check()
}

func (c config) check() error {
	if c.root == "" {
		return errors.New("expected --root, the directory of the stores")
	}
	if c.socket == "" && c.listen == "" && c.insecurePlaintext == "" {
		return errors.New("expected an address: --socket, --listen or --insecure-plaintext")
	}
	if c.listen != "" && (c.tls.Certificate == "" || c.tls.Key == "" || c.tls.ClientCA == "") {
		return errors.New("--listen needs --tls-certificate, --tls-key and --client-ca: there is no TCP without mutual TLS")
	}
	if c.tlsReload <= 0 || c.tlsOverlap < 0 || c.leaseGrace < 0 || c.drainTime < 0 {
		return errors.New("times are 0 or more, and --tls-reload is more than 0")
	}
	return c.store.Check()
}
