package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
)

// asSidecar makes this test binary run main, so that tests have a process to kill.
const asSidecar = "LEDGERKEEP_TEST_AS_SIDECAR"

func TestMain(m *testing.M) {
	if os.Getenv(asSidecar) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a sidecar of its own process.
type process struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	socket  string
	engine  pb.EngineClient
	conn    *grpc.ClientConn
	ready   struct {
		Ready    bool
		Instance string
		Address  string
	}
}

func ownDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lkb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func start(t *testing.T, root string, flags ...string) *process {
	t.Helper()
	p := &process{socket: filepath.Join(ownDir(t), "s")}
	args := append([]string{"--root", root, "--socket", p.socket, "--stop-with-stdin", "--memtable-bytes", "8388608", "--min-free-bytes", "0"}, flags...)
	p.command = exec.Command(os.Args[0], args...)
	p.command.Env = append(os.Environ(), asSidecar+"=1")
	p.command.Stderr = testLog{t}
	var err error
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the sidecar did not get ready: %v", err)
	}
	if err := json.Unmarshal(line, &p.ready); err != nil || !p.ready.Ready {
		t.Fatalf("expected a line of JSON that says ready, found %s", line)
	}
	p.conn, p.engine = dial(t, "unix:"+p.socket)
	return p
}

func dial(t *testing.T, target string) (*grpc.ClientConn, pb.EngineClient) {
	t.Helper()
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, pb.NewEngineClient(conn)
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	if p.command.ProcessState == nil {
		_ = p.command.Process.Kill()
		_ = p.command.Wait()
	}
}

// stop ends the process as a supervisor does.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.stdin.Close()
	if err := p.command.Wait(); err != nil {
		t.Fatalf("the sidecar did not stop in order: %v", err)
	}
}

type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	fmt.Fprintf(os.Stderr, "%s: %s", l.t.Name(), line)
	return len(line), nil
}

// owner holds one store.
type owner struct {
	engine pb.EngineClient
	ref    *pb.StoreRef
	event  *pb.HoldEvent
	let    context.CancelFunc
}

func hold(t *testing.T, engine pb.EngineClient, store, id string) *owner {
	t.Helper()
	held, err := tryHold(t, engine, &pb.HoldRequest{Store: store, OwnerId: id, OwnerName: "owner " + id})
	if err != nil {
		t.Fatalf("cannot hold: %v", err)
	}
	return held
}

func tryHold(t *testing.T, engine pb.EngineClient, request *pb.HoldRequest) (*owner, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	stream, err := engine.Hold(ctx, request)
	if err != nil {
		return nil, err
	}
	event, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	return &owner{engine, &pb.StoreRef{Store: request.GetStore(), Lease: event.GetLease()}, event, cancel}, nil
}

func (o *owner) put(ctx context.Context, sequence uint64, pairs ...string) error {
	request := &pb.WriteRequest{Ref: o.ref, Sequence: sequence}
	for i := 0; i+1 < len(pairs); i += 2 {
		request.Mutations = append(request.Mutations, &pb.Mutation{Key: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	_, err := o.engine.Write(ctx, request)
	return err
}

func (o *owner) get(t *testing.T, key string) (string, bool) {
	t.Helper()
	response, err := o.engine.Get(t.Context(), &pb.GetRequest{Ref: o.ref, Key: []byte(key)})
	if err != nil {
		t.Fatalf("cannot get: %v", err)
	}
	return string(response.GetValue()), response.Value != nil
}

func (o *owner) close(t *testing.T) {
	t.Helper()
	if _, err := o.engine.Close(t.Context(), &pb.CloseRequest{Ref: o.ref}); err != nil {
		t.Fatalf("cannot close: %v", err)
	}
}

func within(t *testing.T, d time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !is(); {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", d, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
