package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"io.ledgerkeep/badger/server/internal/damage"
	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

// damagedStore makes a store whose only table, or file of the value log, can be damaged.
func damagedStore(t *testing.T, options Options, pattern string) (dir, file string, want map[string]string) {
	t.Helper()
	s := open(t, t.TempDir(), options)
	var batch []Mutation
	want = map[string]string{}
	for i := range 400 {
		key, value := fmt.Sprintf("key %d", i), fmt.Sprintf("value %d %s", i, strings.Repeat(string(rune('a'+i%26)), i*4))
		want[key] = value
		batch = append(batch, put(key, value))
	}
	write(t, s, batch...)
	reclaim(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("expected files %s, found %v", pattern, err)
	}
	for _, candidate := range files {
		if info, err := os.Stat(candidate); err == nil && info.Size() > 10_000 {
			file = candidate
		}
	}
	return s.dir, file, want
}

// outcome opens a damaged copy and reads all of it, in three ways. It returns what is not right: an entry
// that is missing or wrong with no error. That is tolerable only where there is none.
func outcome(t *testing.T, dir string, options Options, want map[string]string) (told bool, wrong string) {
	t.Helper()
	s, err := tryOpen(t, dir, options)
	if err != nil {
		expectReason(t, err, pb.Failure_DAMAGED)
		return true, ""
	}
	defer func() { _ = s.Close() }()
	if found, err := tryAll(s, Range{}); err != nil {
		expectReason(t, err, pb.Failure_DAMAGED)
		told = true
	} else if fmt.Sprint(found) != fmt.Sprint(want) {
		wrong = fmt.Sprintf("a scan found %d of %d entries", len(found), len(want))
	}
	for key, value := range want {
		view, err := s.View()
		if err != nil {
			expectReason(t, err, pb.Failure_DAMAGED)
			return true, wrong
		}
		found, there, err := view.Get([]byte(key))
		view.End()
		if err != nil {
			expectReason(t, err, pb.Failure_DAMAGED)
			return true, wrong
		}
		if !there || string(found) != value {
			return told, "a get found something else"
		}
	}
	return told, wrong
}

func TestDamageIsToldAndNeverServed(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		pattern string
	}{
		{"in a table", small(), "*.sst"},
		{"in the value log", logged(), "*.vlog"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir, file, want := damagedStore(t, test.options, test.pattern)
			if told, wrong := outcome(t, copyOf(t, dir), test.options, want); told || wrong != "" {
				t.Fatalf("the copy is damaged already: %v %s", told, wrong)
			}
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(5, 6))
			tellings := 0
			for range 120 {
				at, bit := r.IntN(len(whole)), byte(1)<<r.IntN(8)
				copied := copyOf(t, dir)
				broken := append([]byte(nil), whole...)
				broken[at] ^= bit
				if err := os.WriteFile(filepath.Join(copied, filepath.Base(file)), broken, 0o600); err != nil {
					t.Fatal(err)
				}
				told, wrong := outcome(t, copied, test.options, want)
				if wrong != "" && !damage.Complete {
					t.Logf("bit %08b at %d: %s; run the script check, which corrects that", bit, at, wrong)
				} else if wrong != "" {
					t.Errorf("bit %08b at %d of %d: %s, told: %v", bit, at, len(whole), wrong, told)
				}
				if told {
					tellings++
					_, err := tryOpen(t, copied, test.options)
					expectReason(t, err, pb.Failure_DAMAGED)
				}
				_ = os.RemoveAll(copied)
			}
			t.Logf("%d of 120 flips were told, the others harmed nothing", tellings)
			if tellings < 60 {
				t.Errorf("expected that most flips harm something, found %d of 120", tellings)
			}
		})
	}
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to, err := os.MkdirTemp(t.TempDir(), "copy")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestACompactionOverADamagedBlockIsToldAndItsStoreStaysRefused(t *testing.T) {
	s := open(t, t.TempDir(), small())
	fillRandom(t, s, 2, 4<<20)
	reclaim(t, s)
	files, _ := filepath.Glob(filepath.Join(s.dir, "*.sst"))
	flip(t, files[len(files)/2], 0.5)
	write(t, s, put("00", ""), put("99", "")) // overlaps with every table
	_, _, err := s.Reclaim(t.Context())
	expectReason(t, err, pb.Failure_DAMAGED)
	expectReason(t, tryWrite(s, put("k", "")), pb.Failure_DAMAGED)
	if err := s.Close(); err != nil {
		t.Logf("closing: %v", err)
	}
	_, _, err = Open("test", s.dir, s.options, failure.Owner{}, false)
	expectReason(t, err, pb.Failure_DAMAGED)
}

// flip changes a byte of a file in place, as a bad disk does under an open store.
func flip(t *testing.T, path string, where float64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	at := int64(float64(info.Size()) * where)
	if _, err := file.ReadAt(one, at); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 0xff
	if _, err := file.WriteAt(one, at); err != nil {
		t.Fatal(err)
	}
}

func TestFilesThatAreGoneOrEmptiedAreTold(t *testing.T) {
	dir, log, want := damagedStore(t, logged(), "*.vlog")
	harms := map[string]func(path string) error{
		"gone":        os.Remove,
		"empty":       func(path string) error { return os.Truncate(path, 0) },
		"cut":         func(path string) error { return os.Truncate(path, 10) },
		"beheaded":    func(path string) error { return overwriteHead(path, 8) },
		"overwritten": func(path string) error { return overwriteHead(path, 64) },
	}
	for _, file := range []string{manifestFile, "KEYREGISTRY", filepath.Base(log)} {
		for name, harm := range harms {
			t.Run(file+" "+name, func(t *testing.T) {
				copied := copyOf(t, dir)
				if err := harm(filepath.Join(copied, file)); err != nil {
					t.Fatal(err)
				}
				told, wrong := outcome(t, copied, logged(), want)
				if wrong != "" {
					t.Errorf("%s, told: %v", wrong, told)
				}
				if !told && file == manifestFile {
					t.Error("expected to be told")
				}
			})
		}
	}
}

func overwriteHead(path string, bytes int) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(make([]byte, bytes), 0)
	return errors.Join(err, file.Close())
}
