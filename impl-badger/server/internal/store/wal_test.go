package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/sst"
	"io.ledgerkeep/badger/server/internal/wal"
)

// killed returns a copy of a store with so many writes as it is while open: as a kill leaves it.
func killed(t *testing.T, writes int) (dir, log string) {
	t.Helper()
	s := open(t, t.TempDir(), small())
	for i := range writes {
		write(t, s, put(fmt.Sprintf("key %03d", i), fmt.Sprintf("value %d", i)))
	}
	dir = copyOf(t, s.dir)
	logs, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("expected one log, found %v", logs)
	}
	return dir, logs[0]
}

func change(t *testing.T, file string, with func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, with(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// written is how many bytes of a log were written to.
func written(log []byte) int { return len(bytes.TrimRight(log, "\x00")) }

func TestALogThatIsWholeOrTornAtItsEndLosesNothingThatWasAnswered(t *testing.T) {
	dir, log := killed(t, 20)
	change(t, log, func(data []byte) []byte { // half of a write that nobody was told of
		end := written(data)
		copy(data[end:], data[20:20+40])
		return data
	})
	s := open(t, dir, small())
	if found := all(t, s, Range{}); len(found) != 20 {
		t.Errorf("expected 20 entries, found %d", len(found))
	}
}

func TestADamagedLogIsToldWhereWholeWritesAreBehind(t *testing.T) {
	_, log := killed(t, 20)
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(log)
	told := 0
	positions := 0
	for at := 20; at < written(whole)*3/4; at += 29 {
		positions++
		change(t, log, func([]byte) []byte {
			damaged := slices.Clone(whole)
			damaged[at] ^= 1
			return damaged
		})
		if _, err := wal.CheckStore(dir); errors.Is(err, wal.ErrDamaged) {
			told++
		}
	}
	if told != positions {
		t.Errorf("expected that %d flips are told, found %d", positions, told)
	}
	_, err = tryOpen(t, dir, small())
	expectReason(t, err, pb.Failure_DAMAGED)
}

func TestALogThatWasNotTheLastMustBeWhole(t *testing.T) {
	dir, log := killed(t, 20)
	next := filepath.Join(dir, "00002.mem")
	if filepath.Base(log) != "00001.mem" {
		t.Fatalf("expected the first log, found %s", log)
	}
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(next, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.CheckStore(dir); err != nil {
		t.Fatalf("expected no finding, found %v", err)
	}
	change(t, log, func(data []byte) []byte { data[written(data)-1] ^= 1; return data })
	if _, err := wal.CheckStore(dir); !errors.Is(err, wal.ErrDamaged) {
		t.Errorf("expected damage in the log before the last, found %v", err)
	}
}

func TestALogThatAScanKeepsIsNoDamage(t *testing.T) {
	s := open(t, t.TempDir(), small())
	write(t, s, put("a", "1"))
	view, err := s.View()
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	goOn := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- view.Scan(context.Background(), Query{}, func([]Entry) error {
			close(begun)
			<-goOn
			return nil
		})
	}()
	<-begun
	for i := 0; !hasGap(t, s.dir); i++ {
		write(t, s, put(fmt.Sprintf("b %06d", i), strings.Repeat("x", 100_000)))
	}

	if _, err := wal.CheckStore(s.dir); err != nil {
		t.Errorf("expected no finding, found %v", err)
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	view.End()
}

// hasGap tells whether the first log is there and the newest, and none between them.
func hasGap(t *testing.T, dir string) bool {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil || !strings.HasSuffix(logs[0], "00001.mem") {
		t.Fatalf("expected the first log, found %v (%v)", logs, err)
	}
	return len(logs) == 2 && !strings.HasSuffix(logs[1], "00002.mem")
}

func TestAManifestThatIsCutOrOlderIsToldAndNoTableRemoved(t *testing.T) {
	s := open(t, t.TempDir(), small())
	write(t, s, put("a", "1"))
	s = reopen(t, s)
	manifest := filepath.Join(s.dir, manifestFile)
	older, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, put("b", "2"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	newest, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"cut": newest[:len(newest)-3], "older": older} {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, s.dir)
			change(t, filepath.Join(dir, manifestFile), func([]byte) []byte { return content })
			before, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
			_, err := tryOpen(t, dir, small())
			expectReason(t, err, pb.Failure_DAMAGED)
			if after, _ := filepath.Glob(filepath.Join(dir, "*.sst")); len(after) != len(before) {
				t.Errorf("expected %d tables, found %d", len(before), len(after))
			}
		})
	}
	if err := sst.CheckClosed(s.dir); err != nil {
		t.Errorf("expected no finding, found %v", err)
	}
}

func TestWhoWasOvertakenDoesNotComeBack(t *testing.T) {
	s := open(t, t.TempDir(), small())
	for _, step := range []struct {
		owner  string
		resume bool
		ok     bool
	}{{"one", false, true}, {"one", true, true}, {"two", false, true}, {"one", true, false}, {"two", true, true}, {"one", false, true}} {
		err := s.BeOwnedBy(step.owner, step.resume)
		if step.ok && err != nil {
			t.Fatalf("%v: %v", step, err)
		}
		if !step.ok {
			expectReason(t, err, pb.Failure_OVERTAKEN)
		}
		s = reopen(t, s)
	}
}
