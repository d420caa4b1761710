package service

import (
	"io.ledgerkeep/badger/server/internal/metrics"
)

const (
	calls        = "ledgerkeep_badger_calls_total"
	callSeconds  = "ledgerkeep_badger_call_seconds_total"
	writtenBytes = "ledgerkeep_badger_written_bytes_total"
	writeSeconds = "ledgerkeep_badger_write_seconds_total"
	storeBytes   = "ledgerkeep_badger_store_bytes"
	pauseSeconds = "ledgerkeep_badger_pause_seconds_total"
	longestPause = "ledgerkeep_badger_pause_seconds_longest"
	scansNow     = "ledgerkeep_badger_scans"
	snapshotsNow = "ledgerkeep_badger_snapshots"
	inTrouble    = "ledgerkeep_badger_store_in_trouble"
	inFlight     = "ledgerkeep_badger_requests_in_flight_bytes"
)

func (s *Service) defineMeasures() {
	m := s.measures
	m.Define(calls, metrics.Counter, "Calls that ended, by method and reason of failure (OK if none).")
	m.Define(callSeconds, metrics.Counter, "The time that calls took.")
	m.Define(writtenBytes, metrics.Counter, "Keys and values that were written.")
	m.Define(writeSeconds, metrics.Counter, "The time that writes took, syncing included.")
	m.Define(storeBytes, metrics.Gauge, "What an open store takes on disk.")
	m.Define(pauseSeconds, metrics.Counter, "For how long maintenance has stopped the writes of a store.")
	m.Define(longestPause, metrics.Gauge, "The longest such pause.")
	m.Define(scansNow, metrics.Gauge, "Scans under way.")
	m.Define(snapshotsNow, metrics.Gauge, "Snapshots that are kept.")
	m.Define(inTrouble, metrics.Gauge, "1 if a store is damaged or has to be opened again.")
	m.Define(inFlight, metrics.Gauge, "The bytes of the writes that are worked on.")
	m.Source(s.measure)
}

func (s *Service) measure(m *metrics.Set) {
	for _, gauge := range []string{storeBytes, longestPause, scansNow, snapshotsNow, inTrouble} {
		m.Clear(gauge)
	}
	m.Put(inFlight, float64(s.budget.taken.Load()))
	for _, session := range s.leases.Sessions() {
		name := session.Store.Name()
		if size, err := session.Store.Size(); err == nil {
			m.Put(storeBytes, float64(size), "store", name)
		}
		total, longest := session.Store.Pauses()
		m.Put(pauseSeconds, total.Seconds(), "store", name)
		m.Put(longestPause, longest.Seconds(), "store", name)
		scans, snapshots := session.Counts()
		m.Put(scansNow, float64(scans), "store", name)
		m.Put(snapshotsNow, float64(snapshots), "store", name)
		trouble := 0.0
		if session.Store.Trouble() != nil {
			trouble = 1
		}
		m.Put(inTrouble, trouble, "store", name)
	}
}
