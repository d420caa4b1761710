package service

import (
	"bufio"
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/lease"
	"io.ledgerkeep/badger/server/internal/store"
)

// Scan streams a range. A goroutine reads one chunk ahead; only it has to do with the store, so that a
// lease can end although a client does not take what it is sent.
func (s *Service) Scan(request *pb.ScanRequest, stream grpc.ServerStreamingServer[pb.ScanResponse]) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	began, chunks, ended := make(chan struct{}), make(chan []store.Entry), make(chan error, 1)
	go func() {
		ended <- s.recovered(func() error { return s.scan(ctx, request, began, chunks) })
		close(chunks)
	}()
	select {
	case <-began:
		// Tells the client that the moment it sees is fixed.
		if err := stream.SendHeader(metadata.MD{}); err != nil {
			return err
		}
	case err := <-ended:
		return err
	}
	for chunk := range chunks {
		if err := stream.Send(scanResponse(chunk)); err != nil {
			return err
		}
	}
	return <-ended
}

func (s *Service) scan(ctx context.Context, request *pb.ScanRequest, began chan<- struct{}, chunks chan<- []store.Entry) error {
	return s.within(ctx, request.GetRef(), func(ctx context.Context, in *lease.Session) error {
		leave, err := in.EnterScan()
		if err != nil {
			return err
		}
		defer leave()
		view, giveBack, err := in.View(request.GetSnapshot())
		if err != nil {
			return err
		}
		defer giveBack()
		close(began)
		query := store.Query{
			Range:    store.Range{First: request.GetFirstKey(), End: request.GetEndKey()},
			KeysOnly: request.GetKeysOnly(), Limit: max(0, request.GetLimit()),
		}
		return view.Scan(ctx, query, func(chunk []store.Entry) error {
			select {
			case chunks <- chunk:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
}

func scanResponse(chunk []store.Entry) *pb.ScanResponse {
	entries := make([]pb.Entry, len(chunk))
	response := &pb.ScanResponse{Entries: make([]*pb.Entry, len(chunk))}
	for i, e := range chunk {
		entries[i].Key, entries[i].Value = e.Key, e.Value
		response.Entries[i] = &entries[i]
	}
	return response
}

const pieceBytes = 256 << 10

// Backup streams a backup, read and sent by two goroutines for the same reason as a scan.
func (s *Service) Backup(request *pb.BackupRequest, stream grpc.ServerStreamingServer[pb.BackupResponse]) error {
	out, in := io.Pipe()
	defer out.Close()
	versions := make(chan uint64, 1)
	go func() {
		_ = in.CloseWithError(s.recovered(func() error { return s.backup(stream.Context(), request, in, versions) }))
	}()
	for {
		piece := make([]byte, pieceBytes)
		n, err := io.ReadFull(out, piece)
		if n > 0 {
			if err := stream.Send(&pb.BackupResponse{Data: piece[:n]}); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return stream.Send(&pb.BackupResponse{Version: <-versions})
		case err != nil:
			return err
		}
	}
}

func (s *Service) backup(ctx context.Context, request *pb.BackupRequest, to *io.PipeWriter, versions chan<- uint64) error {
	return s.within(ctx, request.GetRef(), func(ctx context.Context, in *lease.Session) error {
		stop := context.AfterFunc(ctx, func() { _ = to.CloseWithError(context.Cause(ctx)) })
		defer stop()
		buffered := bufio.NewWriterSize(to, pieceBytes)
		version, err := in.Store.Backup(request.GetSinceVersion(), buffered)
		if err != nil {
			return err
		}
		versions <- version
		return buffered.Flush()
	})
}

// Load takes a backup in.
func (s *Service) Load(stream grpc.ClientStreamingServer[pb.LoadRequest, pb.LoadResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if first.GetRef() == nil {
		return failure.New(pb.Failure_INVALID, "expected the store in the first message, found none")
	}
	out, in := io.Pipe()
	go func() { _ = in.CloseWithError(receive(stream, in)) }()
	err = s.within(stream.Context(), first.GetRef(), func(ctx context.Context, session *lease.Session) error {
		stop := context.AfterFunc(ctx, func() { _ = in.CloseWithError(context.Cause(ctx)) })
		defer stop()
		return session.Store.Load(ctx, out)
	})
	_ = out.CloseWithError(err)
	if err != nil {
		return err
	}
	return stream.SendAndClose(&pb.LoadResponse{})
}

// receive writes what comes to a pipe, until its other end is closed or nothing comes any more.
func receive(stream grpc.ClientStreamingServer[pb.LoadRequest, pb.LoadResponse], to io.Writer) error {
	for {
		message, err := stream.Recv()
		if err != nil {
			return err // io.EOF when all is there
		}
		if message.GetRef() != nil {
			return failure.New(pb.Failure_INVALID, "expected data after the first message, found a store")
		}
		if _, err := to.Write(message.GetData()); err != nil {
			return err
		}
	}
}
