package store

import (
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

const (
	maxKeyBytes   = 60_000
	maxValueBytes = 1<<20 - 64
	minMemtable   = 8 << 20
	minThreshold  = 1 << 10
	maxThreshold  = 1 << 20
	maxMemtable   = 512 << 20
	maxCacheBytes = 16 << 30
	valueLogBytes = 64 << 20
	memtables     = 2
	// newestTables is how many tables of level 0 are worked off in the background. It is small because
	// the writes wait for those that are there when a range is deleted.
	newestTables = 2
)

// Options are those of every store of a sidecar.
type Options struct {
	// MemtableBytes is what a store collects in memory before it writes a table. The largest batch is
	// an eighth of it.
	MemtableBytes int64
	// BlockCacheBytes is the memory for unpacked blocks of tables, per store.
	BlockCacheBytes int64
	// ValueThreshold is the size from which a value goes to the value log instead of the tables.
	ValueThreshold int64
	// MinFreeBytes is what remains free on the disk when writes begin to be refused, besides what the
	// open stores may need for the writes they have accepted.
	MinFreeBytes int64
	// Open counts the open stores of all that have it in their options, for they share the disk.
	Open *atomic.Int64
	Log  *slog.Logger
}

// Check tells what is wrong with the options.
func (o Options) Check() error {
	switch {
	case o.MemtableBytes < minMemtable || o.MemtableBytes > maxMemtable:
		return fmt.Errorf("a memtable has %d to %d bytes, found %d", minMemtable, maxMemtable, o.MemtableBytes)
	case o.BlockCacheBytes < 1<<20 || o.BlockCacheBytes > maxCacheBytes:
		return fmt.Errorf("a block cache has %d to %d bytes, found %d", 1<<20, int64(maxCacheBytes), o.BlockCacheBytes)
	case o.ValueThreshold < minThreshold || o.ValueThreshold > maxThreshold:
		return fmt.Errorf("the value threshold is %d to %d bytes, found %d", minThreshold, maxThreshold, o.ValueThreshold)
	case o.MinFreeBytes < 0:
		return fmt.Errorf("the bytes to keep free are 0 or more, found %d", o.MinFreeBytes)
	}
	return nil
}

// Limits is what a store accepts.
type Limits struct {
	KeyBytes, ValueBytes int
	BatchBytes           int64
	BatchCount           int
}

// Limits returns what one transaction of Badger takes for sure: it refuses more than 15 % of the
// memtable, its own overhead per entry included.
func (o Options) Limits() Limits {
	batch := o.MemtableBytes / 8
	return Limits{
		KeyBytes:   maxKeyBytes,
		ValueBytes: int(min(maxValueBytes, batch-maxKeyBytes)),
		BatchBytes: batch,
		BatchCount: int(batch / 256),
	}
}

// watermark is what has to be free for a write. Each open store may need room without being asked
// again, for its memtables as tables and for a compaction.
func (o Options) watermark() int64 {
	stores := int64(1)
	if o.Open != nil {
		stores = max(stores, o.Open.Load())
	}
	return o.MinFreeBytes + stores*4*o.MemtableBytes
}

func (o Options) countOpen(change int64) {
	if o.Open != nil {
		o.Open.Add(change)
	}
}

func (o Options) badger(dir string, log badger.Logger) badger.Options {
	b := badger.DefaultOptions(dir).WithLogger(log)
	b.SyncWrites = true
	b.DetectConflicts = false // one writer
	b.NumVersionsToKeep = 1
	b.MetricsEnabled = false
	b.Compression = options.Snappy
	b.ChecksumVerificationMode = options.OnBlockRead
	b.VerifyValueChecksum = true
	b.MemTableSize = o.MemtableBytes
	b.NumMemtables = memtables
	b.NumLevelZeroTables = newestTables
	b.NumLevelZeroTablesStall = 5
	b.NumCompactors = 2
	b.NumGoroutines = 2
	b.BlockCacheSize = o.BlockCacheBytes
	b.ValueThreshold = o.ValueThreshold
	b.ValueLogFileSize = valueLogBytes
	return b
}
