package store

import (
	"log/slog"

	"github.com/dgraph-io/badger/v4"
)

// Bare returns the options of Badger for a store with the sidecar's own defaults: for whoever measures
// what the sidecar adds.
func Bare(dir string, log *slog.Logger) badger.Options {
	return Defaults().badger(dir, &badgerLog{log: log})
}

// Defaults returns the options of stores where nothing else is said. The memtable is no larger because
// the writes wait for it to become a table when a range is deleted.
func Defaults() Options {
	return Options{MemtableBytes: 16 << 20, BlockCacheBytes: 32 << 20, ValueThreshold: 1 << 20, MinFreeBytes: 64 << 20}
}
