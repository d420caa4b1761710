package main

import (
	"io"
	"testing"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
)

func TestWhatWasWrittenIsThereAfterARestart(t *testing.T) {
	root := t.TempDir()
	first := start(t, root)
	o := hold(t, first.engine, "a/b", "me")
	if !o.event.GetCreated() || o.event.GetLastSequence() != 0 {
		t.Errorf("expected a new store, found %v", o.event)
	}
	if err := o.put(t.Context(), 1, "k1", "v1", "k2", "", "k3", "v3"); err != nil {
		t.Fatal(err)
	}
	o.close(t)
	first.stop(t)

	second := start(t, root)
	if second.ready.Instance == first.ready.Instance {
		t.Error("expected another instance")
	}
	o = hold(t, second.engine, "a/b", "me")
	if o.event.GetCreated() || o.event.GetLastSequence() != 1 {
		t.Errorf("expected the store and its last sequence, found %v", o.event)
	}
	for key, want := range map[string]string{"k1": "v1", "k2": "", "k3": "v3"} {
		if got, found := o.get(t, key); !found || got != want {
			t.Errorf("expected %q at %s, found %q, %v", want, key, got, found)
		}
	}
	if _, found := o.get(t, "k4"); found {
		t.Error("expected nothing at k4")
	}
}

func TestEveryCallAnswers(t *testing.T) {
	o := hold(t, start(t, t.TempDir()).engine, "s", "me")
	if err := o.put(t.Context(), 1, "a", "1", "b", "2", "c", "3"); err != nil {
		t.Fatal(err)
	}
	snapshot, err := o.engine.OpenSnapshot(t.Context(), &pb.OpenSnapshotRequest{Ref: o.ref})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.engine.DeleteRange(t.Context(), &pb.DeleteRangeRequest{Ref: o.ref, FirstKey: []byte("b")}); err != nil {
		t.Fatal(err)
	}
	if got := scan(t, o, &pb.ScanRequest{Ref: o.ref}); got != "a=1;" {
		t.Errorf("found %s", got)
	}
	if got := scan(t, o, &pb.ScanRequest{Ref: o.ref, Snapshot: snapshot.GetSnapshot(), FirstKey: []byte("a"), EndKey: []byte("b")}); got != "a=1;" {
		t.Errorf("found %s", got)
	}
	if _, err := o.engine.CloseSnapshot(t.Context(), &pb.CloseSnapshotRequest{Ref: o.ref, Snapshot: snapshot.GetSnapshot()}); err != nil {
		t.Fatal(err)
	}
	reclaimed, err := o.engine.Reclaim(t.Context(), &pb.ReclaimRequest{Ref: o.ref})
	if err != nil || reclaimed.GetBytesBefore() == 0 {
		t.Errorf("found %v, %v", reclaimed, err)
	}
	if _, err := o.engine.Sync(t.Context(), &pb.SyncRequest{Ref: o.ref}); err != nil {
		t.Error(err)
	}
	if size, err := o.engine.Size(t.Context(), &pb.SizeRequest{Ref: o.ref}); err != nil || size.GetBytes() == 0 {
		t.Errorf("found %v, %v", size, err)
	}
	if text, err := o.engine.Metrics(t.Context(), &pb.MetricsRequest{}); err != nil || text.GetText() == "" {
		t.Errorf("found %v, %v", text, err)
	}
	many, err := o.engine.MultiGet(t.Context(), &pb.MultiGetRequest{Ref: o.ref, Keys: [][]byte{[]byte("a"), []byte("b")}})
	if err != nil || len(many.GetResults()) != 2 || many.Results[1].Value != nil {
		t.Errorf("found %v, %v", many, err)
	}
}

func scan(t *testing.T, o *owner, request *pb.ScanRequest) string {
	t.Helper()
	stream, err := o.engine.Scan(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for {
		response, err := stream.Recv()
		if err == io.EOF {
			return text
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range response.GetEntries() {
			text += string(e.GetKey()) + "=" + string(e.GetValue()) + ";"
		}
	}
}
