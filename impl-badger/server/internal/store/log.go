package store

import (
	"log/slog"
	"strings"
	"sync/atomic"
)

// badgerLog takes what Badger logs. Only the fixed words go on: the arguments may be keys. Some of
// what Badger only logs is grave, and is kept as trouble.
type badgerLog struct {
	log *slog.Logger
	// unsynced: a sync of the value log failed, and the writes before it were acknowledged.
	unsynced atomic.Bool
	// ignored: a table with a wrong checksum was left out when the store was opened.
	ignored atomic.Bool
	// round is called before each compaction of a flattening, in the goroutine of that.
	round atomic.Pointer[func()]
}

func (l *badgerLog) Errorf(format string, args ...any) {
	switch {
	case strings.HasPrefix(format, "Error while curlf sync"):
		l.unsynced.Store(true)
	case strings.HasPrefix(format, "CHECKSUM_MISMATCH"), strings.HasPrefix(format, "Ignoring table"):
		l.ignored.Store(true)
		format = "Ignoring table"
	}
	l.log.Error("badger", "text", words(format), "full", anyFull(args))
}

func (l *badgerLog) Warningf(format string, args ...any) {
	l.log.Warn("badger", "text", words(format), "full", anyFull(args))
}

// flatteningRound is the line that Badger logs in each round of a flattening, and nowhere else.
const flatteningRound = "\n"

func (l *badgerLog) Infof(format string, _ ...any) {
	if round := l.round.Load(); round != nil && format == flatteningRound {
		(*round)()
	}
}

func (*badgerLog) Debugf(string, ...any) {}

func words(format string) string { return strings.TrimSpace(strings.SplitN(format, "%", 2)[0]) }

func anyFull(args []any) bool {
	for _, arg := range args {
		if err, ok := arg.(error); ok && isFull(err) {
			return true
		}
	}
	return false
}

// isFull tells whether the disk is full; Badger's errors keep only the words of their causes.
func isFull(err error) bool {
	text := err.Error()
	return strings.Contains(text, "no space left on device") || strings.Contains(text, "disk quota exceeded")
}
