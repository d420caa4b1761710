package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

var testOwner = failure.Owner{Name: "the test", Process: int64(os.Getpid())}

func (s *Store) isEmptyOfData() (bool, error) {
	found, err := tryAll(s, Range{})
	return len(found) == 0, err
}

// small are options of stores that a test makes and fills quickly.
func small() Options {
	return Options{
		MemtableBytes: minMemtable, BlockCacheBytes: 1 << 20, ValueThreshold: maxThreshold,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// logged are those of stores whose large values go to the value log.
func logged() Options {
	o := small()
	o.ValueThreshold = minThreshold
	return o
}

func open(t *testing.T, dir string, options Options) *Store {
	t.Helper()
	s, err := tryOpen(t, dir, options)
	if err != nil {
		t.Fatalf("cannot open: %v", err)
	}
	return s
}

func tryOpen(t *testing.T, dir string, options Options) (*Store, error) {
	t.Helper()
	s, _, err := Open("test", dir, options, testOwner, false)
	if err != nil {
		return nil, err
	}
	closed := false
	t.Cleanup(func() {
		if !closed && s.db != nil && !s.db.IsClosed() {
			_ = s.Close()
		}
	})
	return s, nil
}

func reopen(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("cannot close: %v", err)
	}
	return open(t, s.dir, s.options)
}

// write applies mutations as the next write of the test.
func write(t *testing.T, s *Store, mutations ...Mutation) {
	t.Helper()
	if err := tryWrite(s, mutations...); err != nil {
		t.Fatalf("cannot write: %v", err)
	}
}

func tryWrite(s *Store, mutations ...Mutation) error {
	last, err := s.LastSequence(context.Background(), "test")
	if err != nil {
		return err
	}
	return s.Write(context.Background(), "test", last+1, mutations)
}

func put(key, value string) Mutation { return Mutation{Key: []byte(key), Value: []byte(value)} }

func remove(key string) Mutation { return Mutation{Key: []byte(key), Delete: true} }

func get(t *testing.T, s *Store, key string) (string, bool) {
	t.Helper()
	view, err := s.View()
	if err != nil {
		t.Fatal(err)
	}
	defer view.End()
	value, found, err := view.Get([]byte(key))
	if err != nil {
		t.Fatalf("cannot get: %v", err)
	}
	return string(value), found
}

// all returns what a scan of the range returns.
func all(t *testing.T, s *Store, r Range) map[string]string {
	t.Helper()
	found, err := tryAll(s, r)
	if err != nil {
		t.Fatalf("cannot scan: %v", err)
	}
	return found
}

func tryAll(s *Store, r Range) (map[string]string, error) {
	view, err := s.View()
	if err != nil {
		return nil, err
	}
	defer view.End()
	found, last := map[string]string{}, ""
	err = view.Scan(context.Background(), Query{Range: r}, func(chunk []Entry) error {
		for _, e := range chunk {
			if string(e.Key) <= last && last != "" {
				return fmt.Errorf("keys are not in order")
			}
			last = string(e.Key)
			found[last] = string(e.Value)
		}
		return nil
	})
	return found, err
}

func expectReason(t *testing.T, err error, reason pb.Failure_Reason) *failure.Error {
	t.Helper()
	var told *failure.Error
	if !errors.As(err, &told) || told.Reason != reason {
		t.Fatalf("expected %v, found %v", reason, err)
	}
	return told
}

func TestABatchIsAppliedOnce(t *testing.T) {
	s := open(t, t.TempDir(), small())
	ctx := t.Context()
	steps := []struct {
		name     string
		sequence uint64
		value    string
		reason   pb.Failure_Reason
		now      string
	}{
		{"the first", 1, "a", 0, "a"},
		{"its repetition changes nothing", 1, "other", 0, "a"},
		{"a later one", 5, "b", 0, "b"},
		{"an earlier one is refused", 4, "other", pb.Failure_STALE, "b"},
		{"none is refused", 0, "other", pb.Failure_STALE, "b"},
		{"the repetition of the later one", 5, "other", 0, "b"},
	}
	for _, step := range steps {
		for _, again := range []bool{false, true} {
			if again {
				s = reopen(t, s)
			}
			err := s.Write(ctx, "me", step.sequence, []Mutation{put("k", step.value)})
			if step.reason != 0 {
				expectReason(t, err, step.reason)
			} else if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if now, _ := get(t, s, "k"); now != step.now {
				t.Fatalf("%s: expected %s, found %s", step.name, step.now, now)
			}
		}
	}
	if err := s.Write(ctx, "another", 1, []Mutation{put("k", "c")}); err != nil {
		t.Fatalf("another owner begins anew: %v", err)
	}
}

func TestTheLaterOfTwoMutationsOfAKeyHolds(t *testing.T) {
	s := open(t, t.TempDir(), small())
	write(t, s, put("a", "1"), put("a", "2"), put("b", "1"), remove("b"), remove("c"), put("c", ""))
	want := map[string]string{"a": "2", "c": ""}
	if found := all(t, s, Range{}); fmt.Sprint(found) != fmt.Sprint(want) {
		t.Errorf("expected %v, found %v", want, found)
	}
}

func TestWhatIsWithinTheLimitsIsAcceptedAndWhatIsBeyondChangesNothing(t *testing.T) {
	for _, options := range []Options{small(), logged(), {MemtableBytes: 32 << 20, BlockCacheBytes: 1 << 20, ValueThreshold: maxThreshold, Log: small().Log}} {
		s := open(t, t.TempDir(), options)
		l := s.Limits()
		key := strings.Repeat("k", l.KeyBytes)
		write(t, s, put(key, strings.Repeat("v", l.ValueBytes)))
		var full []Mutation
		for left, i := l.BatchBytes, 0; left > 0; i++ {
			size := min(left-8, int64(l.ValueBytes))
			full = append(full, put(fmt.Sprintf("%08d", i), strings.Repeat("v", int(size))))
			left -= size + 8
		}
		write(t, s, full...)
		var many []Mutation
		for i := range l.BatchCount {
			many = append(many, put(fmt.Sprintf("%08d", i), strings.Repeat("v", int(l.BatchBytes)/l.BatchCount-8)))
		}
		write(t, s, many...)

		before := len(all(t, s, Range{}))
		expectReason(t, tryWrite(s, put("new", "v"), put(key+"k", "")), pb.Failure_TOO_LARGE)
		expectReason(t, tryWrite(s, put("new", "v"), put("", "")), pb.Failure_INVALID)
		expectReason(t, tryWrite(s, put("new", "v"), put("k", strings.Repeat("v", l.ValueBytes+1))), pb.Failure_TOO_LARGE)
		expectReason(t, tryWrite(s, append(full, put("new", "v"))...), pb.Failure_TOO_LARGE)
		expectReason(t, tryWrite(s, append(many, remove("new"))...), pb.Failure_TOO_LARGE)
		if after := len(all(t, s, Range{})); after != before {
			t.Errorf("expected %d entries, found %d", before, after)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADirectoryThatIsNoStoreIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := tryOpen(t, dir, small())
	expectReason(t, err, pb.Failure_UNSUPPORTED_FORMAT)
}

func TestANewerFormatIsRefused(t *testing.T) {
	s := open(t, t.TempDir(), small())
	record, _, err := s.getRecord(formatKey)
	if err != nil {
		t.Fatal(err)
	}
	record[len(formatMagic)]++
	if err := s.putRecord(formatKey, record); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = tryOpen(t, s.dir, small())
	expectReason(t, err, pb.Failure_UNSUPPORTED_FORMAT)
}

func TestAStoreThatIsToBeThereIsNotMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	_, _, err := Open("test", dir, small(), failure.Owner{}, true)
	expectReason(t, err, pb.Failure_ABSENT)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("expected that nothing was made, found %v", err)
	}
}

func TestACreationThatWasCutShortIsDoneAgain(t *testing.T) {
	for _, left := range ofCreation {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, left), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := tryOpen(t, dir, small()); err != nil {
			t.Errorf("%s: %v", left, err)
		}
	}
}

func TestALogThatAKillHasCutShortBeforeItsFirstByteHarmsNothing(t *testing.T) {
	for _, options := range []Options{small(), logged()} {
		s := open(t, t.TempDir(), options)
		write(t, s, put("k", strings.Repeat("v", 5000)))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"00099.mem", "000099.vlog"} {
			if err := os.WriteFile(filepath.Join(s.dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s = open(t, s.dir, options)
		if value, _ := get(t, s, "k"); len(value) != 5000 {
			t.Errorf("found %d bytes", len(value))
		}
	}
}

func TestASecondOwnerIsToldOfTheFirst(t *testing.T) {
	s := open(t, t.TempDir(), small())
	_, _, err := Open("test", s.dir, small(), failure.Owner{Name: "second"}, false)
	told := expectReason(t, err, pb.Failure_LEASED)
	if told.Owner.Name != "the test" || told.Owner.Process != int64(os.Getpid()) || !strings.Contains(told.Message, "the test") {
		t.Errorf("expected the first owner, found %v", told.Owner)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, s.dir, small())
}

func TestWritesAreRefusedBelowTheWatermarkAndDeletionsBelowItsHalf(t *testing.T) {
	s := open(t, t.TempDir(), small())
	write(t, s, put("a", "1"), put("b", "1"))
	set := func(minFree int64) { s.options.MinFreeBytes = minFree }
	free := freeBytes(t, s.dir)

	set(free * 3 / 2)
	expectReason(t, tryWrite(s, put("c", "1")), pb.Failure_DISK_FULL)
	write(t, s, remove("a"))
	if _, err := s.DeleteRange(t.Context(), Range{}); err != nil {
		t.Error(err)
	}
	set(free * 3)
	expectReason(t, tryWrite(s, remove("b")), pb.Failure_DISK_FULL)
	_, err := s.DeleteRange(t.Context(), Range{})
	expectReason(t, err, pb.Failure_DISK_FULL)
	_, _, err = s.Reclaim(t.Context())
	expectReason(t, err, pb.Failure_DISK_FULL)

	set(0)
	s.options.Open = new(atomic.Int64)
	s.options.Open.Store(free / s.options.MemtableBytes) // so many stores share the disk
	expectReason(t, tryWrite(s, put("c", "1")), pb.Failure_DISK_FULL)
	s.options.Open.Store(1)
	write(t, s, put("c", "2"))
	if found := all(t, s, Range{}); len(found) != 1 || found["c"] != "2" {
		t.Errorf("expected that only what was accepted is there, found %v", found)
	}
}
