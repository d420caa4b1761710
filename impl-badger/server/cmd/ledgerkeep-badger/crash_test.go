package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
)

// TestEveryBatchIsAppliedOnceAndWholeAcrossKills writes batches that depend on one another, kills the
// sidecar at any moment, repeats what was not answered, and counts.
func TestEveryBatchIsAppliedOnceAndWholeAcrossKills(t *testing.T) {
	kills := 25
	if testing.Short() {
		kills = 5
	}
	root := t.TempDir()
	r := rand.New(rand.NewPCG(7, 8))
	const keys = 40
	var sequence uint64 // of the last batch that was answered
	for kill := range kills {
		p := start(t, root)
		o := hold(t, p.engine, "s", "me")
		if last := o.event.GetLastSequence(); last != sequence && last != sequence+1 {
			t.Fatalf("expected the sequence %d or the next, found %d", sequence, last)
		}
		// The batch that was under way is repeated with the sequence it had.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		for end := time.After(time.Duration(r.IntN(60)) * time.Millisecond); ; {
			if err := o.put(ctx, sequence+1, batchOf(sequence+1, keys)...); err != nil {
				t.Fatalf("kill %d: %v", kill, err)
			}
			sequence++
			stop := false
			select {
			case <-end:
				stop = true
			default:
			}
			if stop {
				break
			}
		}
		wild := make(chan struct{})
		go func() {
			defer close(wild)
			_ = o.put(ctx, sequence+1, batchOf(sequence+1, keys)...)
		}()
		time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond) // somewhere within the write
		p.kill()
		<-wild
		cancel()
		checkWhole(t, root, sequence, keys)
	}
	t.Logf("%d batches, %d kills", sequence, kills)
}

// batchOf makes the batch of a sequence: every key gets it, and a count goes up by one.
func batchOf(sequence uint64, keys int) []string {
	var pairs []string
	for i := range keys {
		pairs = append(pairs, fmt.Sprintf("key %03d", i), fmt.Sprintf("%d %s", sequence, strings.Repeat("x", i*20)))
	}
	return append(pairs, fmt.Sprintf("log %012d", sequence), "")
}

// checkWhole expects one batch wholly, the last answered or the one that was under way.
func checkWhole(t *testing.T, root string, answered uint64, keys int) {
	t.Helper()
	p := start(t, root)
	defer p.stop(t)
	o := hold(t, p.engine, "s", "me")
	last := o.event.GetLastSequence()
	if last != answered && last != answered+1 {
		t.Fatalf("expected the sequence %d or the next, found %d", answered, last)
	}
	want := ""
	pairs := batchOf(last, keys)
	for i := 0; i < 2*keys; i += 2 {
		want += pairs[i] + "=" + pairs[i+1] + ";"
	}
	if found := scan(t, o, &pb.ScanRequest{Ref: o.ref, FirstKey: []byte("key"), EndKey: []byte("kez")}); found != want {
		t.Fatalf("expected batch %d whole, found a part or another", last)
	}
	if logged := strings.Count(scan(t, o, &pb.ScanRequest{Ref: o.ref, FirstKey: []byte("log"), KeysOnly: true}), ";"); uint64(logged) != last {
		t.Fatalf("expected %d batches in the log, found %d", last, logged)
	}
	o.close(t)
}

func TestADeletedRangeNeverComesBackAcrossKills(t *testing.T) {
	kills := 8
	if testing.Short() {
		kills = 2
	}
	r := rand.New(rand.NewPCG(9, 10))
	for kill := range kills {
		root := t.TempDir()
		p := start(t, root)
		o := hold(t, p.engine, "s", "me")
		sequence := uint64(0)
		write := func(mutate func(i int) *pb.Mutation) {
			t.Helper()
			for from := 0; from < 4000; from += 500 {
				sequence++
				request := &pb.WriteRequest{Ref: o.ref, Sequence: sequence}
				for i := from; i < from+500; i++ {
					if m := mutate(i); m != nil {
						request.Mutations = append(request.Mutations, m)
					}
				}
				if _, err := o.engine.Write(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			}
		}
		key := func(i int) []byte { return fmt.Appendf(nil, "%06d", i) }
		write(func(i int) *pb.Mutation { return &pb.Mutation{Key: key(i), Value: []byte(strings.Repeat("v", 500))} })
		if _, err := o.engine.Reclaim(t.Context(), &pb.ReclaimRequest{Ref: o.ref}); err != nil {
			t.Fatal(err)
		}
		write(func(i int) *pb.Mutation {
			if i%2 == 0 {
				return &pb.Mutation{Key: key(i)} // a tombstone above an old value
			}
			return nil
		})
		answer := make(chan error, 1)
		go func() {
			_, err := o.engine.DeleteRange(context.Background(), &pb.DeleteRangeRequest{Ref: o.ref, FirstKey: key(500), EndKey: key(3500)})
			answer <- err
		}()
		time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond) // somewhere within the deletion
		p.kill()
		finished := <-answer == nil

		again := hold(t, start(t, root).engine, "s", "me")
		found := scan(t, again, &pb.ScanRequest{Ref: again.ref, KeysOnly: true})
		for i := range 4000 {
			there := strings.Contains(found, string(key(i))+"=")
			inside := i >= 500 && i < 3500
			switch {
			case i%2 == 0 && there:
				t.Fatalf("kill %d: key %d, deleted before, is back", kill, i)
			case i%2 == 1 && !inside && !there:
				t.Fatalf("kill %d: key %d outside the range is gone", kill, i)
			case inside && there && finished:
				t.Fatalf("kill %d: key %d is back", kill, i)
			}
		}
	}
}

func TestTheEndOfStandardInputStopsInOrder(t *testing.T) {
	root := t.TempDir()
	p := start(t, root)
	o := hold(t, p.engine, "s", "me")
	if err := o.put(t.Context(), 1, "k", "v"); err != nil {
		t.Fatal(err)
	}
	p.stop(t) // with the store held
	o = hold(t, start(t, root).engine, "s", "another")
	if v, _ := o.get(t, "k"); v != "v" {
		t.Errorf("found %q", v)
	}
}

func TestASidecarThatCannotServeSaysWhyAndEnds(t *testing.T) {
	p := start(t, t.TempDir())
	public := ownDir(t)
	if err := os.Chmod(public, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"an address that is taken": {"--root", t.TempDir(), "--socket", p.socket},
		"no address":               {"--root", t.TempDir()},
		"TCP without TLS":          {"--root", t.TempDir(), "--listen", "127.0.0.1:0"},
		"plaintext for everyone":   {"--root", t.TempDir(), "--insecure-plaintext", "0.0.0.0:0"},
		"a public directory":       {"--root", t.TempDir(), "--socket", public + "/s"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		c, err := parse(args, testLog{t})
		if err == nil {
			err = serve(ctx, c, testLog{t}, quiet())
		}
		cancel()
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: expected an error, found %v", name, err)
		}
	}
}
