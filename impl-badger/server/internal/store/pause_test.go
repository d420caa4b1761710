package store

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestThePauseOfADeletion measures, in a store of LEDGERKEEP_PAUSE_MIB with the defaults of the sidecar, for
// how long writes wait for DeleteRange and Reclaim while a writer does what it can.
func TestThePauseOfADeletion(t *testing.T) {
	mib, err := strconv.Atoi(os.Getenv("LEDGERKEEP_PAUSE_MIB"))
	if err != nil {
		t.Skip("set LEDGERKEEP_PAUSE_MIB to measure")
	}
	options := Defaults()
	options.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	s := open(t, t.TempDir(), options)
	groups := mib / 16
	fillRandom(t, s, groups, 16<<20)

	var slowest atomic.Int64
	var written int
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		value := make([]byte, 1024)
		for ctx.Err() == nil {
			var batch []Mutation
			for range 500 {
				written++
				batch = append(batch, Mutation{Key: fmt.Appendf(nil, "zz%08d", written), Value: value})
			}
			begin := time.Now()
			write(t, s, batch...)
			slowest.Store(max(slowest.Load(), int64(time.Since(begin))))
		}
	})
	for group := range groups * 9 / 10 {
		if group%8 != 0 {
			continue
		}
		first, end := fmt.Appendf(nil, "%02d000000", group), fmt.Appendf(nil, "%02d000003", min(group+8, groups*9/10))
		begin := time.Now()
		done, err := s.DeleteRange(t.Context(), Range{first, end})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("DeleteRange of 128 MiB: %v, of it paused %v; %d prefixes, %d keys", time.Since(begin), done.Pause, done.Prefixes, done.Keys)
	}
	begin := time.Now()
	before, after := reclaim(t, s)
	t.Logf("Reclaim: %v, %d MiB to %d MiB", time.Since(begin), before>>20, after>>20)
	stop()
	writer.Wait()
	total, longest := s.Pauses()
	t.Logf("paused %v in all, %v at most; the slowest write of %d took %v", total, longest, written/500, time.Duration(slowest.Load()))
}
