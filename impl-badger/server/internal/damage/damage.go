// Package damage makes Badger tell of damaged blocks.
//
// Badger 4.9.6 notices a block whose checksum is wrong, but the error ends in an iterator that nobody
// asks: a get then finds nothing, a scan leaves entries out, a compaction drops them for good. What
// all of these have in common is that the error of the checksum, a variable, is put into words where
// the damage is met. An error that raises an alarm when it is put into words takes its place here.
package damage

import (
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/s2"
)

// Alarm is raised by damage that any store of the process meets.
type Alarm struct {
	raised atomic.Int64

	mu         sync.Mutex
	inspectors map[int]func()
	next       int
}

var install = sync.OnceValue(func() *Alarm {
	alarm := &Alarm{inspectors: map[int]func(){}}
	y.ErrChecksumMismatch = &bell{text: y.ErrChecksumMismatch.Error(), alarm: alarm}
	s2.ErrCorrupt = &bell{text: s2.ErrCorrupt.Error(), alarm: alarm}
	return alarm
})

// Installed returns the alarm of the process, which is one because Badger's errors are.
func Installed() *Alarm { return install() }

// Raised counts the alarms so far. A read during which it grew is not to be trusted.
func (a *Alarm) Raised() int64 { return a.raised.Load() }

// Inspect has a function called on each alarm, before the goroutine that met the damage goes on. It
// returns what ends that. The function must not put Badger's errors into words.
func (a *Alarm) Inspect(inspect func()) (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := a.next
	a.next++
	a.inspectors[id] = inspect
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.inspectors, id)
	}
}

func (a *Alarm) raise() {
	a.raised.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, inspect := range a.inspectors {
		inspect()
	}
}

type bell struct {
	text  string
	alarm *Alarm
}

func (b *bell) Error() string {
	b.alarm.raise()
	return b.text
}
