// ledgerkeep-badger serves stores of Badger to Ledgerkeep. See docs/backends.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(os.Args[1:], log); errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	} else if err != nil {
		log.Error("ledgerkeep-badger ends", "error", err)
		os.Exit(1)
	}
}

func run(args []string, log *slog.Logger) error {
	config, err := parse(args, os.Stderr)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if config.stopWithStdin {
		var end context.CancelFunc
		ctx, end = context.WithCancel(ctx)
		go func() {
			drain(os.Stdin)
			end()
		}()
	}
	if err := serve(ctx, config, os.Stdout, log); err != nil {
		return fmt.Errorf("cannot serve: %w", err)
	}
	return nil
}

// drain returns when there is nothing more to read: when the process at the other end is gone.
func drain(from *os.File) {
	buffer := make([]byte, 512)
	for {
		if _, err := from.Read(buffer); err != nil {
			return
		}
	}
}
