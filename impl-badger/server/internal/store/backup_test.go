package store

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
)

func backupOf(t *testing.T, s *Store) []byte {
	t.Helper()
	var backup bytes.Buffer
	if _, err := s.Backup(0, &backup); err != nil {
		t.Fatal(err)
	}
	return backup.Bytes()
}

func filled(t *testing.T, options Options) (*Store, map[string]string) {
	t.Helper()
	s := open(t, t.TempDir(), options)
	var batch []Mutation
	for i := range 3000 {
		batch = append(batch, put(fmt.Sprintf("key %06d", i), strings.Repeat(fmt.Sprint(i), 500)))
	}
	for len(batch) > 0 {
		write(t, s, batch[:300]...)
		batch = batch[300:]
	}
	write(t, s, remove("key 000007"), put("key 000008", "newer"), put("empty", ""))
	return s, all(t, s, Range{})
}

func TestABackupMakesTheSameStore(t *testing.T) {
	for name, options := range map[string]Options{"inline": small(), "value log": logged()} {
		t.Run(name, func(t *testing.T) {
			s, want := filled(t, options)
			copied := open(t, t.TempDir(), options)
			if err := copied.Load(t.Context(), bytes.NewReader(backupOf(t, s))); err != nil {
				t.Fatal(err)
			}
			copied = reopen(t, copied)
			if found := all(t, copied, Range{}); fmt.Sprint(found) != fmt.Sprint(want) {
				t.Errorf("expected %d entries, found %d", len(want), len(found))
			}
			expectReason(t, copied.Load(t.Context(), bytes.NewReader(backupOf(t, s))), pb.Failure_NOT_EMPTY)
		})
	}
}

func TestABackupSinceAVersionHasOnlyWhatIsNewer(t *testing.T) {
	s, _ := filled(t, small())
	var first, second bytes.Buffer
	version, err := s.Backup(0, &first)
	if err != nil || version == 0 {
		t.Fatalf("found %d, %v", version, err)
	}
	write(t, s, put("one", "more"))
	if _, err := s.Backup(version, &second); err != nil || second.Len() == 0 || second.Len() > 1000 {
		t.Errorf("expected one entry, found %d bytes, %v", second.Len(), err)
	}
}

func TestALoadThatFailsLeavesNothing(t *testing.T) {
	s, _ := filled(t, small())
	whole := backupOf(t, s)
	forged := bytes.Replace(bytes.Clone(whole), []byte("dkey 002999"), []byte("mkey 002999"), 1)
	changed := bytes.Clone(whole)
	changed[len(changed)-20]++
	for name, backup := range map[string][]byte{
		"cut in a list":      whole[:len(whole)-9],
		"cut in a length":    append(bytes.Clone(whole), 1, 2, 3),
		"a record of ours":   forged,
		"a value changed":    changed,
		"a length too great": append(bytes.Clone(whole), bytes.Repeat([]byte{0xff}, 8)...),
	} {
		t.Run(name, func(t *testing.T) {
			into := open(t, t.TempDir(), small())
			expectReason(t, into.Load(t.Context(), bytes.NewReader(backup)), pb.Failure_INVALID)
			if found := all(t, into, Range{}); len(found) != 0 {
				t.Errorf("expected nothing, found %d entries", len(found))
			}
			if err := into.Load(t.Context(), bytes.NewReader(whole)); err != nil {
				t.Errorf("expected that it can be loaded then: %v", err)
			}
		})
	}
}

func TestALoadThatAKillCutShortLeavesNothing(t *testing.T) {
	s, _ := filled(t, small())
	into := open(t, t.TempDir(), small())
	if err := into.putRecord(loadingKey, nil); err != nil {
		t.Fatal(err)
	}
	if err := into.loadLists(t.Context(), bytes.NewReader(backupOf(t, s))); err != nil {
		t.Fatal(err)
	}
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(into.dir)); err != nil {
		t.Fatal(err)
	}
	if found := all(t, open(t, killed, small()), Range{}); len(found) != 0 {
		t.Errorf("expected nothing, found %d entries", len(found))
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{4, 0, 0, 0, 0, 0, 0, 0, 0x0a, 2, 0x0a, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 3, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, backup []byte) {
		s, _, err := Open("fuzz", t.TempDir(), small(), testOwner, false)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Load(t.Context(), bytes.NewReader(backup)); err == nil {
			return
		}
		if empty, err := s.isEmptyOfData(); err != nil || !empty {
			t.Errorf("expected nothing of a load that failed, found %v, %v", empty, err)
		}
	})
}
