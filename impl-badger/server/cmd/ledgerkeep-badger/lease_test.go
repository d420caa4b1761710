package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/status"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func failureOf(t *testing.T, err error) *pb.Failure {
	t.Helper()
	for _, detail := range status.Convert(err).Details() {
		if told, ok := detail.(*pb.Failure); ok {
			return told
		}
	}
	t.Fatalf("expected a failure of the protocol, found %v", err)
	return nil
}

func expect(t *testing.T, err error, reason pb.Failure_Reason) *pb.Failure {
	t.Helper()
	told := failureOf(t, err)
	if told.GetReason() != reason {
		t.Fatalf("expected %v, found %v", reason, told)
	}
	return told
}

func TestASecondOwnerIsRefusedWithTheNameOfTheFirst(t *testing.T) {
	root := t.TempDir()
	first, other := start(t, root), start(t, root)
	hold(t, first.engine, "s", "one")
	for name, engine := range map[string]pb.EngineClient{"same sidecar": first.engine, "other sidecar": other.engine} {
		_, err := tryHold(t, engine, &pb.HoldRequest{Store: "s", OwnerId: "two", OwnerName: "second"})
		if told := expect(t, err, pb.Failure_LEASED); told.GetOwnerName() != "owner one" || told.GetHeldSinceUnixMillis() == 0 {
			t.Errorf("%s: expected the first owner, found %v", name, told)
		}
	}
	hold(t, first.engine, "another", "two")
}

func TestAnotherOwnerMayComeAfterTheGracePeriod(t *testing.T) {
	p := start(t, t.TempDir(), "--lease-grace", "300ms")
	one := hold(t, p.engine, "s", "one")
	one.let()
	_, err := tryHold(t, p.engine, &pb.HoldRequest{Store: "s", OwnerId: "two"})
	expect(t, err, pb.Failure_LEASED)
	within(t, 10*time.Second, "the second owner is let in", func() bool {
		_, err := tryHold(t, p.engine, &pb.HoldRequest{Store: "s", OwnerId: "two"})
		return err == nil
	})
	expect(t, one.put(t.Context(), 1, "k", "v"), pb.Failure_LEASE_LOST)
}

func TestAnOwnerThatWasOvertakenIsNotLetBackIn(t *testing.T) {
	p := start(t, t.TempDir(), "--lease-grace", "1ms")
	one := hold(t, p.engine, "s", "one")
	one.let()
	var two *owner
	within(t, 10*time.Second, "the second owner is let in", func() (in bool) {
		held, err := tryHold(t, p.engine, &pb.HoldRequest{Store: "s", OwnerId: "two"})
		two = held
		return err == nil
	})
	two.close(t)
	_, err := tryHold(t, p.engine, &pb.HoldRequest{Store: "s", OwnerId: "one", Resume: true})
	expect(t, err, pb.Failure_OVERTAKEN)
	if _, err := tryHold(t, p.engine, &pb.HoldRequest{Store: "s", OwnerId: "two", Resume: true}); err != nil {
		t.Error(err)
	}
}

func TestAStoreDoesNotLieInAnother(t *testing.T) {
	p := start(t, t.TempDir())
	hold(t, p.engine, "a", "one")
	for _, name := range []string{"a/DAMAGED", "a/b/c"} {
		_, err := tryHold(t, p.engine, &pb.HoldRequest{Store: name, OwnerId: "two"})
		expect(t, err, pb.Failure_INVALID)
	}
	hold(t, p.engine, "b/c", "one")
}

func TestTheSameOwnerTakesItsLeaseUpAgain(t *testing.T) {
	p := start(t, t.TempDir(), "--lease-grace", "1h")
	old := hold(t, p.engine, "s", "one")
	if err := old.put(t.Context(), 1, "k", "v"); err != nil {
		t.Fatal(err)
	}
	snapshot, err := old.engine.OpenSnapshot(t.Context(), &pb.OpenSnapshotRequest{Ref: old.ref})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.put(t.Context(), 1<<20, "l", strings.Repeat("v", 900_000), "m", strings.Repeat("v", 100_000)); err != nil {
		t.Fatal(err)
	}
	stalled, err := old.engine.Scan(t.Context(), &pb.ScanRequest{Ref: old.ref})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stalled.Header(); err != nil {
		t.Fatal(err)
	}
	old.let()
	next := hold(t, p.engine, "s", "one")
	for err == nil {
		_, err = stalled.Recv()
	}
	expect(t, err, pb.Failure_LEASE_LOST)
	if next.event.GetLastSequence() != 1<<20 || next.event.GetLease() == old.event.GetLease() {
		t.Errorf("expected a new lease and the last sequence, found %v", next.event)
	}
	expect(t, old.put(t.Context(), 1<<21, "k", "v"), pb.Failure_LEASE_LOST)
	_, err = next.engine.Get(t.Context(), &pb.GetRequest{Ref: next.ref, Key: []byte("k"), Snapshot: snapshot.GetSnapshot()})
	expect(t, err, pb.Failure_SNAPSHOT_GONE)
	old.close(t) // of a lease that is gone: no error, and nothing closes
	if err := next.put(t.Context(), 1<<21, "k", "w"); err != nil {
		t.Error(err)
	}
}

func TestTheLeaseOfAProcessThatIsGoneNeedsNoGrace(t *testing.T) {
	p := start(t, t.TempDir(), "--lease-grace", "1h")
	gone := exec.Command(os.Args[0], "-test.run", "^$")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	one, err := tryHold(t, p.engine, &pb.HoldRequest{Store: "s", OwnerId: "one", OwnerProcess: int64(gone.Process.Pid)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tryHold(t, p.engine, &pb.HoldRequest{Store: "s", OwnerId: "two"})
	expect(t, err, pb.Failure_LEASED) // its stream is there, so it is not gone for us
	one.let()
	within(t, 10*time.Second, "the second owner is let in", func() bool {
		_, err := tryHold(t, p.engine, &pb.HoldRequest{Store: "s", OwnerId: "two"})
		return err == nil
	})
}

func TestTheEndOfALeaseEndsAScanThatNobodyTakes(t *testing.T) {
	p := start(t, t.TempDir())
	o := hold(t, p.engine, "s", "one")
	for i := range uint64(10) {
		if err := o.put(t.Context(), i+1, string(rune('a'+i)), strings.Repeat("v", 900_000)); err != nil {
			t.Fatal(err)
		}
	}
	stalled, err := o.engine.Scan(t.Context(), &pb.ScanRequest{Ref: o.ref})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stalled.Header(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := o.engine.Close(ctx, &pb.CloseRequest{Ref: o.ref}); err != nil {
		t.Fatalf("the store did not close: %v", err)
	}
	for err == nil {
		_, err = stalled.Recv()
	}
	expect(t, err, pb.Failure_LEASE_LOST)
	hold(t, p.engine, "s", "two")
}

func TestNamesAndOwnersAreChecked(t *testing.T) {
	p := start(t, t.TempDir())
	for _, name := range []string{"", "/", "a/", "/a", "../a", "a/../b", ".a", "a/.b", "a//b", "a/b/c/d/e", "ä", "a\x00", strings.Repeat("a", 65)} {
		_, err := tryHold(t, p.engine, &pb.HoldRequest{Store: name, OwnerId: "me"})
		expect(t, err, pb.Failure_INVALID)
	}
	_, err := tryHold(t, p.engine, &pb.HoldRequest{Store: "a"})
	expect(t, err, pb.Failure_INVALID)
	hold(t, p.engine, "a-b/c_d/E.9/x", "me")
}

func TestNoGoroutineIsLeftWhenTheSidecarStops(t *testing.T) {
	before := runtime.NumGoroutine()
	func() {
		dir := ownDir(t)
		ctx, stop := context.WithCancel(t.Context())
		c, err := parse([]string{"--root", t.TempDir(), "--socket", dir + "/s", "--min-free-bytes", "0", "--memtable-bytes", "8388608"}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		ready, writer := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- serve(ctx, c, writer, quiet()) }()
		if _, err := ready.Read(make([]byte, 512)); err != nil {
			t.Fatal(err)
		}
		conn, engine := dial(t, "unix:"+dir+"/s")
		o := hold(t, engine, "s", "me")
		if err := o.put(t.Context(), 1, "k", "v"); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if _, err := engine.OpenSnapshot(t.Context(), &pb.OpenSnapshotRequest{Ref: o.ref}); err != nil {
				t.Fatal(err)
			}
			if _, err := engine.Scan(t.Context(), &pb.ScanRequest{Ref: o.ref}); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	}()
	within(t, 10*time.Second, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+1 })
}
