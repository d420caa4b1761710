package main

import (
	"errors"
	"net/http"
	"time"

	"io.ledgerkeep/badger/server/internal/listen"
)

// openMetrics serves the measures over HTTP.
func (s *sidecar) openMetrics() error {
	listener, err := listen.Loopback(s.config.metrics)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		if err := s.measures.Write(w); err != nil {
			s.log.Warn("measures could not be written", "error", err)
		}
	})
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	s.servers = append(s.servers, server{
		address: "metrics:" + listener.Addr().String(),
		serve: func() error {
			if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		},
		drain: func() {},
		stop:  func() { _ = web.Close() },
	})
	return nil
}
