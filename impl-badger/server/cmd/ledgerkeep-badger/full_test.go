package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
)

// TestAFullDiskIsToldAndOvercome needs a small file system of its own, LEDGERKEEP_SMALL_DISK, of 200 to 600
// MiB: one store fills it.
func TestAFullDiskIsToldAndOvercome(t *testing.T) {
	disk := os.Getenv("LEDGERKEEP_SMALL_DISK")
	if disk == "" {
		t.Skip("set LEDGERKEEP_SMALL_DISK to the directory of a small file system")
	}
	root := filepath.Join(disk, "root")
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	p := start(t, root, "--min-free-bytes", "16777216")
	o := hold(t, p.engine, "s", "me")
	random := rand.NewChaCha8([32]byte{1})
	value := make([]byte, 10_000)
	sequence := uint64(0)
	put := func() error {
		sequence++
		request := &pb.WriteRequest{Ref: o.ref, Sequence: sequence}
		for i := range 50 {
			_, _ = random.Read(value)
			request.Mutations = append(request.Mutations, &pb.Mutation{Key: fmt.Appendf(nil, "%06d/%03d", sequence, i), Value: append([]byte(nil), value...)})
		}
		_, err := o.engine.Write(t.Context(), request)
		return err
	}
	fill := func() {
		t.Helper()
		for {
			if err := put(); err != nil {
				expect(t, err, pb.Failure_DISK_FULL)
				sequence--
				return
			}
		}
	}
	fill()
	full := sequence
	t.Logf("refused after %d MiB", full*50*10_000>>20)

	for round := range 3 {
		if _, err := o.engine.DeleteRange(t.Context(), &pb.DeleteRangeRequest{Ref: o.ref, EndKey: fmt.Appendf(nil, "%06d", sequence-10)}); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		reclaimed, err := o.engine.Reclaim(t.Context(), &pb.ReclaimRequest{Ref: o.ref})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		t.Logf("reclaimed: %d to %d MiB", reclaimed.GetBytesBefore()>>20, reclaimed.GetBytesAfter()>>20)
		before := sequence
		fill()
		if sequence-before < full/2 {
			t.Errorf("expected that half of the space is of use again, found %d of %d batches", sequence-before, full)
		}
	}

	p.kill()
	p = start(t, root, "--min-free-bytes", "16777216")
	o = hold(t, p.engine, "s", "me")
	if last := o.event.GetLastSequence(); last != sequence {
		t.Errorf("expected the last sequence %d, found %d", sequence, last)
	}
}
