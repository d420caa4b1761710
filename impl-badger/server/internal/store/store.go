// Package store is one Badger database, with what Badger leaves to its users: whole batches exactly
// once, damage that is told, ranges that are deleted, space that comes back, disks that do not fill up.
package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/dgraph-io/badger/v4"

	"io.ledgerkeep/badger/server/internal/damage"
	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/space"
	"io.ledgerkeep/badger/server/internal/sst"
	"io.ledgerkeep/badger/server/internal/wal"
)

// Store is an open store. Its methods may be called by any number of goroutines until Close is.
type Store struct {
	name, dir string
	options   Options
	limits    Limits
	log       *slog.Logger

	db          *badger.DB
	badgerLog   *badgerLog
	ownership   *ownership
	alarm       *damage.Alarm
	endInspect  func()
	trouble     atomic.Pointer[failure.Error]
	writing     turn
	maintaining turn
	last        lastWrite // of the one that has the turn to write
	pauses      pauses
	fewKeys     int // see the constant
}

// Open opens the store in dir and makes it if it is not there, unless existingOnly. It tells whether
// it made it.
func Open(name, dir string, options Options, owner failure.Owner, existingOnly bool) (*Store, bool, error) {
	fresh, err := isFresh(dir)
	if err != nil {
		return nil, false, err
	}
	if fresh && existingOnly {
		return nil, false, failure.New(pb.Failure_ABSENT, "there is no store %s; expected one in %s", name, dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, ioFailure(err, "cannot make the directory of store %s", name)
	}
	s := &Store{
		name: name, dir: dir, options: options, limits: options.Limits(),
		log: options.Log.With("store", name), writing: newTurn(), maintaining: newTurn(),
		alarm: damage.Installed(), fewKeys: fewKeys,
	}
	s.badgerLog = &badgerLog{log: s.log}
	if err := s.checkRoom(halfRoom); err != nil {
		return nil, false, err
	}
	if s.ownership, err = takeOwnership(dir, name, owner); err != nil {
		return nil, false, err
	}
	if err := s.openDatabase(); err != nil {
		s.ownership.release()
		return nil, false, err
	}
	options.countOpen(1)
	return s, fresh, nil
}

func (s *Store) openDatabase() error {
	fresh, err := isFresh(s.dir)
	if err != nil {
		return err // it has changed since Open looked, before the lock was ours
	}
	if !fresh {
		if err := s.checkTables(); err != nil {
			return err
		}
	}
	if err := removeUnbegun(s.dir); err != nil {
		return ioFailure(err, "cannot clear the directory of store %s", s.name)
	}
	if err := s.openBadger(fresh); err != nil {
		return err
	}
	s.endInspect = s.alarm.Inspect(s.inspect)
	if err := s.prepare(); err != nil {
		return errors.Join(err, s.shut())
	}
	return nil
}

func (s *Store) checkTables() error {
	if isMarkedDamaged(s.dir) {
		return s.damaged("a mark of earlier damage is there")
	}
	err := s.checkFiles()
	if errors.Is(err, sst.ErrDamaged) || errors.Is(err, wal.ErrDamaged) || errors.Is(err, os.ErrNotExist) {
		return s.damaged("%w", err)
	}
	if err != nil {
		return ioFailure(err, "cannot check store %s", s.name)
	}
	return nil
}

func (s *Store) checkFiles() error {
	if err := sst.CheckStore(s.dir, sst.Index, false); err != nil {
		return err
	}
	logs, err := wal.CheckStore(s.dir)
	if err != nil || logs || !isMarkedClosed(s.dir) {
		return err
	}
	return sst.CheckClosed(s.dir)
}

// openBadger opens the database. Where Badger panics over what it finds, that is damage.
func (s *Store) openBadger(fresh bool) (err error) {
	defer func() {
		if recover() != nil {
			err = s.damaged("Badger cannot open it")
		}
	}()
	if err := unmarkClosed(s.dir); err != nil {
		return ioFailure(err, "cannot open store %s", s.name)
	}
	raised := s.alarm.Raised()
	db, err := badger.Open(s.options.badger(s.dir, s.badgerLog))
	if err != nil {
		return s.openFailure(err, fresh)
	}
	s.db = db
	if s.badgerLog.ignored.Load() || s.alarm.Raised() != raised && sst.CheckStore(s.dir, sst.Blocks, true) != nil {
		return errors.Join(s.foundDamage("a block has a wrong checksum"), db.Close())
	}
	return nil
}

// openFailure says why Badger does not open a store. Where the system did not fail it, and the store is
// no new one, it is what it found.
func (s *Store) openFailure(err error, fresh bool) error {
	text := err.Error()
	var system syscall.Errno
	switch {
	case strings.Contains(text, "Cannot acquire directory lock"):
		return failure.Leased(s.name, failure.Owner{Name: "unknown, no sidecar"})
	case strings.Contains(text, "manifest has unsupported version"):
		return failure.New(pb.Failure_UNSUPPORTED_FORMAT, "store %s was written by another version of Badger; use the sidecar it was written by", s.name)
	case fresh, errors.As(err, &system) && system != syscall.ENOENT, isFull(err):
		return ioFailure(err, "cannot open store %s", s.name)
	default:
		return s.damaged("Badger cannot open it")
	}
}

// prepare checks or makes the format record, ends what a crash cut short, and reads the last write.
func (s *Store) prepare() error {
	if err := s.prepareFormat(); err != nil {
		return err
	}
	if err := s.undoLoad(); err != nil {
		return err
	}
	last, err := s.readLastWrite()
	s.last = last
	return err
}

const formatVersion = 1

var formatMagic = []byte("LKBG")

func (s *Store) prepareFormat() error {
	record, found, err := s.getRecord(formatKey)
	if err != nil {
		return err
	}
	if found {
		return s.checkFormat(record)
	}
	empty, err := s.isEmpty()
	if err != nil {
		return err
	}
	if !empty {
		return failure.New(pb.Failure_UNSUPPORTED_FORMAT,
			"store %s has entries and no format record: it was not written by this sidecar", s.name)
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return fmt.Errorf("no random bytes: %w", err)
	}
	return s.putRecord(formatKey, append(append(formatMagic[:len(formatMagic):len(formatMagic)], formatVersion), id...))
}

func (s *Store) checkFormat(record []byte) error {
	n := len(formatMagic)
	if len(record) <= n || string(record[:n]) != string(formatMagic) {
		return failure.New(pb.Failure_UNSUPPORTED_FORMAT, "the format record of store %s is none of this sidecar", s.name)
	}
	if version := record[n]; version != formatVersion {
		return failure.New(pb.Failure_UNSUPPORTED_FORMAT,
			"store %s has format %d, this sidecar knows format %d; use a newer one", s.name, version, formatVersion)
	}
	return nil
}

// Limits returns what the store accepts.
func (s *Store) Limits() Limits { return s.limits }

// Name returns the store's name.
func (s *Store) Name() string { return s.name }

// Trouble returns why the store answers nothing any more until it is opened again, or nil.
func (s *Store) Trouble() error {
	if trouble := s.trouble.Load(); trouble != nil {
		return trouble
	}
	if s.badgerLog.unsynced.Load() {
		return s.fail(failure.New(pb.Failure_FAILED,
			"a sync of the value log of store %s failed: writes may be lost; close it and open it again", s.name))
	}
	return nil
}

// fail keeps the first trouble and returns it.
func (s *Store) fail(trouble *failure.Error) error {
	if s.trouble.CompareAndSwap(nil, trouble) {
		s.log.Error("the store answers nothing any more until it is opened again", "reason", trouble.Reason.String())
	}
	return s.trouble.Load()
}

// damaged is the answer where damage was met.
func (s *Store) damaged(format string, args ...any) *failure.Error {
	args = append([]any{s.name}, args...)
	return failure.New(pb.Failure_DAMAGED,
		"store %s is damaged: "+format+"; rebuild or restore it into an empty directory", args...)
}

// foundDamage marks the store, once and for all.
func (s *Store) foundDamage(format string, args ...any) error {
	trouble := s.damaged(format, args...)
	if s.trouble.CompareAndSwap(nil, trouble) {
		s.log.Error("the store is damaged")
		if err := markDamaged(s.dir, trouble.Message); err != nil {
			s.log.Error("the damage could not be marked", "error", err)
		}
	}
	return s.trouble.Load()
}

// inspect looks for damage in the tables after an alarm.
func (s *Store) inspect() {
	if s.trouble.Load() != nil {
		return
	}
	if err := sst.CheckStore(s.dir, sst.Blocks, true); errors.Is(err, sst.ErrDamaged) {
		_ = s.foundDamage("%w", err)
	}
}

// Close makes everything durable and lets the next owner in. Nobody may use the store any more.
func (s *Store) Close() error {
	err := s.shut()
	s.ownership.release()
	s.options.countOpen(-1)
	return err
}

func (s *Store) shut() (err error) {
	defer func() {
		if recover() != nil {
			err = s.damaged("Badger cannot close it")
		}
		s.endInspect()
	}()
	if err := s.db.Close(); err != nil {
		return ioFailure(err, "cannot close store %s", s.name)
	}
	if err := markClosed(s.dir); err != nil {
		s.log.Warn("that the store was closed could not be marked", "error", err)
	}
	return nil
}

// Sync makes every write that was answered durable.
func (s *Store) Sync() error {
	if err := s.Trouble(); err != nil {
		return err
	}
	if err := s.db.Sync(); err != nil {
		return s.fail(ioFailure(err, "cannot sync store %s", s.name))
	}
	return nil
}

// Size returns the bytes that the store takes on disk.
func (s *Store) Size() (int64, error) { return space.Allocated(s.dir) }

// turn is a lock that can be waited for with a context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t turn) give() { <-t }
