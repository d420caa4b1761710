package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"io.ledgerkeep/badger/server/internal/space"
)

func freeBytes(t *testing.T, dir string) int64 {
	t.Helper()
	free, err := space.Free(dir)
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// alphabet has the bytes at which ranges have their edges.
var alphabet = []byte{0x00, 0x01, 0x7f, 0xfe, 0xff}

func randomKey(r *rand.Rand, most int) []byte {
	key := make([]byte, r.IntN(most+1))
	for i := range key {
		key[i] = alphabet[r.IntN(len(alphabet))]
	}
	return key
}

func TestTilesCoverNothingButTheRange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		first, end := randomKey(r, 4), randomKey(r, 4)
		if bytes.Compare(first, end) >= 0 {
			continue
		}
		all := tiles(first, end, tileDepth)
		for range 50 {
			key := randomKey(r, 6)
			inside := bytes.Compare(first, key) <= 0 && bytes.Compare(key, end) < 0
			n := 0
			for _, tile := range all {
				if bytes.HasPrefix(key, tile) {
					n++
				}
			}
			if n > 1 || n == 1 && !inside {
				t.Fatalf("%x is in %d tiles of [%x, %x)", key, n, first, end)
			}
			// What is deeper than the tiles go is left to the deletion of single keys.
			if n == 0 && inside && len(key) > 5 && bytes.Compare(key[:1], first[:min(1, len(first))]) > 0 && key[0] < end[0] {
				t.Fatalf("%x is in no tile of [%x, %x)", key, first, end)
			}
		}
	}
}

func TestDeleteRangeDoesWhatASortedMapDoes(t *testing.T) {
	for _, few := range []int{0, fewKeys} {
		t.Run(fmt.Sprintf("few=%d", few), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, uint64(few)))
			s := open(t, t.TempDir(), small())
			s.fewKeys = few
			model := map[string]string{}
			for round := range 30 {
				var batch []Mutation
				for i := range 100 {
					key := string(randomKey(r, 5)) + "x"
					if r.IntN(5) == 0 {
						delete(model, key)
						batch = append(batch, remove(key))
					} else {
						model[key] = fmt.Sprint(round, i)
						batch = append(batch, put(key, model[key]))
					}
				}
				write(t, s, batch...)
				first, end := randomKey(r, 5), randomKey(r, 5)
				if _, err := s.DeleteRange(t.Context(), Range{first, end}); err != nil {
					t.Fatal(err)
				}
				for key := range model {
					if key >= string(first) && (len(end) == 0 || key < string(end)) {
						delete(model, key)
					}
				}
				if found := all(t, s, Range{}); fmt.Sprint(found) != fmt.Sprint(model) {
					t.Fatalf("after [%x, %x): expected %d entries, found %d", first, end, len(model), len(found))
				}
				if round%10 == 9 {
					s = reopen(t, s)
					s.fewKeys = few
				}
			}
		})
	}
}

// TestDeletedKeysStayDeleted counts: of keys that are written, overwritten and deleted one by one and by
// range, through all that may bring one back.
func TestDeletedKeysStayDeleted(t *testing.T) {
	for name, options := range map[string]Options{"inline": small(), "value log": logged()} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), options)
			const keys = 6000
			key := func(i int) string { return fmt.Sprintf("%06d", i) }
			fill := func(round int, every int) {
				var batch []Mutation
				for i := 0; i < keys; i += every {
					batch = append(batch, put(key(i), strings.Repeat(fmt.Sprintf("%d/%d ", round, i), 300)))
					if len(batch) == 200 {
						write(t, s, batch...)
						batch = nil
					}
				}
				write(t, s, batch...)
			}
			fill(1, 1)
			reclaim(t, s)
			fill(2, 2) // newer versions above the old ones
			gone := map[string]bool{}
			var batch []Mutation
			for i := 0; i < keys; i += 3 {
				gone[key(i)] = true
				batch = append(batch, remove(key(i)))
			}
			write(t, s, batch...)
			expectGone := func(when string) {
				t.Helper()
				found := all(t, s, Range{})
				for k := range gone {
					if _, there := found[k]; there {
						t.Fatalf("a deleted key is back %s", when)
					}
				}
				if len(found) != keys-len(gone) {
					t.Fatalf("expected %d keys %s, found %d", keys-len(gone), when, len(found))
				}
			}
			expectGone("at once")
			s.fewKeys = 0
			if done, err := s.DeleteRange(t.Context(), Range{[]byte(key(1000)), []byte(key(2500))}); err != nil || done.Prefixes == 0 {
				t.Fatalf("found %v, %v", done, err)
			}
			for i := 1000; i < 2500; i++ {
				gone[key(i)] = true
			}
			expectGone("after the deletion of a range")
			for round := range 3 {
				s = reopen(t, s)
				expectGone(fmt.Sprintf("after reopening, round %d", round))
				reclaim(t, s)
				expectGone(fmt.Sprintf("after collecting garbage, round %d", round))
			}
		})
	}
}

func reclaim(t *testing.T, s *Store) (before, after int64) {
	t.Helper()
	before, after, err := s.Reclaim(t.Context())
	if err != nil {
		t.Fatalf("cannot reclaim: %v", err)
	}
	return before, after
}

func TestSpaceComesBackWithoutReopening(t *testing.T) {
	for name, options := range map[string]Options{"inline": small(), "value log": logged()} {
		for _, how := range []string{"range", "one by one"} {
			t.Run(name+", "+how, func(t *testing.T) {
				s := open(t, t.TempDir(), options)
				fillRandom(t, s, 20, 5<<20)
				full, _ := s.Size()
				if how == "range" {
					if _, err := s.DeleteRange(t.Context(), Range{First: []byte("00"), End: []byte("18")}); err != nil {
						t.Fatal(err)
					}
				} else if _, err := s.deleteKeys(t.Context(), dataKey([]byte("00")), dataKey([]byte("18"))); err != nil {
					t.Fatal(err)
				}
				before, after := reclaim(t, s)
				total, longest := s.Pauses()
				t.Logf("full %d MiB, before %d MiB, after %d MiB; paused %v in all, %v at most", full>>20, before>>20, after>>20, total, longest)
				if kept := len(all(t, s, Range{})); kept != 2*5<<20/randomValue {
					t.Errorf("expected %d entries, found %d", 2*5<<20/randomValue, kept)
				}
				if full < 90<<20 || after > full*4/10 {
					t.Errorf("expected that most of the space comes back, found %d of %d MiB in use", after>>20, full>>20)
				}
				if longest > 5*time.Second {
					t.Errorf("expected short pauses, found %v", longest)
				}
			})
		}
	}
}

const randomValue = 2 << 10

// fillRandom writes groups of entries, of so many bytes each, that do not compress.
func fillRandom(t *testing.T, s *Store, groups int, bytesEach int) {
	t.Helper()
	r := rand.NewChaCha8([32]byte{})
	for group := range groups {
		var batch []Mutation
		for i := range bytesEach / randomValue {
			value := make([]byte, randomValue)
			if _, err := r.Read(value); err != nil {
				t.Fatal(err)
			}
			batch = append(batch, Mutation{Key: fmt.Appendf(nil, "%02d%06d", group, i), Value: value})
			if len(batch) == 400 {
				write(t, s, batch...)
				batch = nil
			}
		}
		write(t, s, batch...)
	}
}

func TestAScanSeesOneMomentWhileEverythingElseGoesOn(t *testing.T) {
	s := open(t, t.TempDir(), small())
	fillRandom(t, s, 3, 2<<20)
	want := len(all(t, s, Range{}))
	view, err := s.View()
	if err != nil {
		t.Fatal(err)
	}
	defer view.End()
	var seen []string
	err = view.Scan(t.Context(), Query{KeysOnly: true}, func(chunk []Entry) error {
		for _, e := range chunk {
			seen = append(seen, string(e.Key))
		}
		var batch []Mutation
		for i := range 1000 {
			batch = append(batch, put(fmt.Sprintf("%02d%06dnew", i%3, i), "later"), remove(fmt.Sprintf("02%06d", i)))
		}
		write(t, s, batch...)
		_, _, err := s.Reclaim(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != want || !slices.IsSorted(seen) {
		t.Errorf("expected the %d entries of the beginning, found %d", want, len(seen))
	}
	if again, _, err := view.Get([]byte("02000000")); err != nil || len(again) != randomValue {
		t.Errorf("expected the old value in the view, found %d bytes, %v", len(again), err)
	}
}

func TestFlatteningEndsAfterEnoughRounds(t *testing.T) {
	s := open(t, t.TempDir(), small())
	fillRandom(t, s, 4, 8<<20)
	levels := func() (used int) {
		for _, level := range s.db.Levels() {
			if level.NumTables > 0 {
				used++
			}
		}
		return used
	}
	if _, err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	write(t, s, put("00", ""), put("99", ""))
	if err := s.compactAll(t.Context(), 0); err != nil {
		t.Errorf("expected no error where it is left, found %v", err)
	}
	reclaim(t, s)
	if levels() != 1 {
		t.Errorf("expected that all is in one level in the end, found %d", levels())
	}
}

func TestReclaimEndsWithItsContext(t *testing.T) {
	s := open(t, t.TempDir(), small())
	fillRandom(t, s, 2, 8<<20)
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errTooBig)
	if err := s.compactAll(ctx, 10); !errors.Is(err, errTooBig) {
		t.Errorf("expected the cause of the end, found %v", err)
	}
	reclaim(t, s) // and what Badger had stopped for it goes on
	write(t, s, put("k", "v"))
}

// Badger collects no file of its value log while the one that it writes to has the most garbage.
func TestSpaceOfTheNewestValuesComesBackToo(t *testing.T) {
	s := open(t, t.TempDir(), logged())
	fillRandom(t, s, 6, 15<<20)
	full, _ := s.Size()
	for _, r := range []Range{{[]byte("00"), []byte("01")}, {[]byte("04"), []byte("06")}} {
		if _, err := s.DeleteRange(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if _, after := reclaim(t, s); after > full*6/10 {
		t.Errorf("expected about half of %d MiB, found %d MiB", full>>20, after>>20)
	}
	if kept := len(all(t, s, Range{})); kept != 3*15<<20/randomValue {
		t.Errorf("found %d entries", kept)
	}
}

func TestAValueIsKnownByItsChecksum(t *testing.T) {
	framed := frame([]byte("key"), []byte("value"))
	if value, whole := unframe([]byte("key"), framed); !whole || string(value) != "value" {
		t.Errorf("found %q, %v", value, whole)
	}
	for i := range framed {
		framed[i] ^= 1
		if _, whole := unframe([]byte("key"), framed); whole {
			t.Errorf("expected that a change of byte %d shows", i)
		}
		framed[i] ^= 1
	}
	if _, whole := unframe([]byte("kez"), framed); whole {
		t.Error("expected that the value of another key shows")
	}
	for _, none := range [][]byte{nil, framed[:3]} {
		if _, whole := unframe([]byte("key"), none); whole {
			t.Error("expected that nothing is no value")
		}
	}
}
