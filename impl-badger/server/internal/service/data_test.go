package service

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

func (f *fixture) put(t *testing.T, key, value string) {
	t.Helper()
	f.written++
	if _, err := f.service.Write(t.Context(), &pb.WriteRequest{Ref: f.ref, Sequence: f.written, Mutations: []*pb.Mutation{{Key: []byte(key), Value: []byte(value)}}}); err != nil {
		t.Fatal(err)
	}
}

func TestMultiGetStopsWhereThereAreEnoughBytes(t *testing.T) {
	f := newFixture(t)
	request := &pb.MultiGetRequest{Ref: f.ref, BudgetBytes: 2500}
	for i := range 10 {
		key := fmt.Sprint(i)
		f.put(t, key, strings.Repeat(key, 1000))
		request.Keys = append(request.Keys, []byte(key))
	}
	for _, test := range []struct{ budget, want int64 }{{1, 1}, {2500, 3}, {0, 10}} {
		request.BudgetBytes = test.budget
		response, err := f.service.MultiGet(t.Context(), request)
		if err != nil || int64(len(response.GetResults())) != test.want {
			t.Errorf("budget %d: expected %d values, found %d, %v", test.budget, test.want, len(response.GetResults()), err)
		}
	}
}

func TestRequestsBeyondWhatMayBeUnderWayAreToTryAgain(t *testing.T) {
	f := newFixture(t)
	f.put(t, "key", "value")
	giveBack, err := f.service.budget.take(inFlightBytes - multiGetBytes/2)
	if err != nil {
		t.Fatal(err)
	}
	request := &pb.MultiGetRequest{Ref: f.ref, Keys: [][]byte{[]byte("key")}}
	_, err = f.service.MultiGet(t.Context(), request)
	var told *failure.Error
	if !errors.As(err, &told) || told.Reason != pb.Failure_BUSY {
		t.Errorf("expected BUSY, found %v", err)
	}
	giveBack()
	response, err := f.service.MultiGet(t.Context(), request)
	if err != nil || string(response.GetResults()[0].GetValue()) != "value" {
		t.Errorf("expected the value, found %v, %v", response, err)
	}
	if taken := f.service.budget.taken.Load(); taken != 0 {
		t.Errorf("expected that all is given back, found %d bytes", taken)
	}
}
