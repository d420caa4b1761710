// Package lease knows which owner has which store.
package lease

import (
	"context"
	"errors"
	"log/slog"
	"path"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
	"io.ledgerkeep/badger/server/internal/store"
)

const (
	maxStores   = 64
	maxIDBytes  = 128
	maxOwnerLen = 1024
)

var storeName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){0,3}$`)

// Leases gives stores to owners, one each.
type Leases struct {
	root    string
	options store.Options
	grace   time.Duration
	log     *slog.Logger

	mu       sync.Mutex
	stopping bool
	places   map[string]*place
}

// place is where a store is opened and closed, by one call at a time.
type place struct {
	name  string
	turn  chan struct{}
	users int // that have or wait for the turn; guarded by Leases.mu
	held  *held
}

// held is an open store. It changes in the turn of its place, under the lock of Leases.
type held struct {
	session *Session
	owner   failure.Owner
	grace   *time.Timer // runs since the stream of the lease broke; else nil
}

// New makes leases of the stores below root.
func New(root string, options store.Options, grace time.Duration) *Leases {
	options.Open = new(atomic.Int64)
	return &Leases{root: root, options: options, grace: grace, log: options.Log, places: map[string]*place{}}
}

// Request is an owner's wish for a store.
type Request struct {
	Store, OwnerID string
	Owner          failure.Owner
	ExistingOnly   bool
	Resume         bool
}

func (r Request) check() error {
	switch {
	case !storeName.MatchString(r.Store):
		return failure.New(pb.Failure_INVALID, "the name of a store has one to four parts of letters, digits, '.', '_' and '-', "+
			"with '/' between them, none beginning with '.'; found %q", r.Store)
	case len(r.OwnerID) == 0 || len(r.OwnerID) > maxIDBytes:
		return failure.New(pb.Failure_INVALID, "an owner id has 1 to %d bytes, found %d", maxIDBytes, len(r.OwnerID))
	case len(r.Owner.Name) > maxOwnerLen:
		return failure.New(pb.Failure_INVALID, "an owner's name has at most %d bytes, found %d", maxOwnerLen, len(r.Owner.Name))
	}
	return nil
}

// Hold leases a store, and tells whether it was made for that. Call Broken when its stream breaks.
func (l *Leases) Hold(ctx context.Context, request Request) (session *Session, created bool, err error) {
	if err := request.check(); err != nil {
		return nil, false, err
	}
	err = l.inTurn(ctx, request.Store, func(p *place) error {
		opened, made, err := l.take(p, request)
		if err != nil {
			return err
		}
		session, created = opened.session, made
		l.log.Info("held", "store", p.name, "owner", request.Owner.Name, "process", request.Owner.Process, "created", made)
		return nil
	})
	return session, created, err
}

func (l *Leases) take(p *place, request Request) (*held, bool, error) {
	if l.isStopping() {
		return nil, false, Stopping()
	}
	if old := p.held; old != nil {
		same := old.session.OwnerID == request.OwnerID
		if !same && !l.isForsaken(old) {
			return nil, false, failure.Leased(p.name, old.owner)
		}
		if same && old.session.Store.Trouble() == nil {
			taken, err := l.takeOver(p, old, request)
			return taken, false, err
		}
		if err := l.close(p); err != nil {
			l.log.Error("closing failed", "store", p.name, "error", err)
		}
	}
	return l.open(p, request)
}

// takeOver replaces the session of the same owner; when it returns nothing of the old one goes on.
func (l *Leases) takeOver(p *place, old *held, request Request) (*held, error) {
	session, err := newSession(old.session.Store, request.OwnerID)
	if err != nil {
		return nil, err
	}
	old.session.end()
	next := &held{session: session, owner: request.Owner}
	l.put(p, next)
	return next, nil
}

func (l *Leases) open(p *place, request Request) (*held, bool, error) {
	if l.options.Open.Load() >= maxStores {
		return nil, false, failure.New(pb.Failure_BUSY, "%d stores are open, the maximum; close some", maxStores)
	}
	dir := filepath.Join(l.root, filepath.FromSlash(p.name))
	if err := l.checkAbove(p.name); err != nil {
		return nil, false, err
	}
	opened, created, err := store.Open(p.name, dir, l.options, request.Owner, request.ExistingOnly)
	if err != nil {
		return nil, false, err
	}
	if err := opened.BeOwnedBy(request.OwnerID, request.Resume); err != nil {
		return nil, false, closed(opened, err)
	}
	session, err := newSession(opened, request.OwnerID)
	if err != nil {
		return nil, false, closed(opened, err)
	}
	next := &held{session: session, owner: request.Owner}
	l.put(p, next)
	return next, created, nil
}

// closed closes a store that is not given to anybody after all, and returns why.
func closed(opened *store.Store, why error) error {
	if err := opened.Close(); err != nil {
		return errors.Join(why, err)
	}
	return why
}

// checkAbove refuses a store within another, whose files its directory would be among.
func (l *Leases) checkAbove(name string) error {
	for above := path.Dir(name); above != "."; above = path.Dir(above) {
		if store.IsStore(filepath.Join(l.root, filepath.FromSlash(above))) {
			return failure.New(pb.Failure_INVALID, "store %s would lie in store %s; choose another name", name, above)
		}
	}
	return nil
}

// put sets who has the place, and ends the grace of who had it.
func (l *Leases) put(p *place, next *held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.held != nil && p.held.grace != nil {
		p.held.grace.Stop()
	}
	p.held = next
}

// isForsaken tells whether the stream of a lease is broken and its owner, a process of this machine,
// is gone: nobody will take it up again.
func (l *Leases) isForsaken(h *held) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return h.grace != nil && h.owner.Process > 0 && errors.Is(unix.Kill(int(h.owner.Process), 0), unix.ESRCH)
}

// Broken begins the grace period of a session whose stream broke, unless another has taken its place.
func (l *Leases) Broken(session *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.places[session.Store.Name()]
	if p == nil || p.held == nil || p.held.session != session || p.held.grace != nil {
		return
	}
	p.held.grace = time.AfterFunc(l.grace, func() {
		l.log.Warn("the owner did not come back", "store", session.Store.Name())
		if err := l.Close(context.Background(), session.Store.Name(), session.Lease); err != nil {
			l.log.Error("closing failed", "store", session.Store.Name(), "error", err)
		}
	})
}

// Enter lets a call into the session of a lease. It leaves when it is done.
func (l *Leases) Enter(ctx context.Context, ref *pb.StoreRef) (session *Session, inside context.Context, leave func(), err error) {
	session, err = l.find(ref)
	if err != nil {
		return nil, nil, nil, err
	}
	inside, leave, err = session.enter(ctx)
	return session, inside, leave, err
}

func (l *Leases) find(ref *pb.StoreRef) (*Session, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping {
		return nil, Stopping()
	}
	p := l.places[ref.GetStore()]
	if p == nil || p.held == nil || p.held.session.Lease != ref.GetLease() {
		return nil, failure.New(pb.Failure_LEASE_LOST, "this lease does not hold; hold the store anew")
	}
	return p.held.session, nil
}

// Close gives a lease back and closes its store. One that is gone is no error.
func (l *Leases) Close(ctx context.Context, name, lease string) error {
	return l.inTurn(ctx, name, func(p *place) error {
		if p.held == nil || p.held.session.Lease != lease {
			return nil
		}
		return l.close(p)
	})
}

// close closes the store of a place, in its turn.
func (l *Leases) close(p *place) error {
	old := p.held
	old.session.end()
	err := old.session.Store.Close()
	l.put(p, nil)
	l.log.Info("closed", "store", p.name)
	return err
}

// Stop closes every store, and lets nobody hold one any more. It waits for that as long as the context
// does: on a full disk Badger does not close.
func (l *Leases) Stop(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- l.closeAll(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.New("not all stores have closed in time; they will be repaired when they are opened")
	}
}

func (l *Leases) closeAll(ctx context.Context) error {
	l.mu.Lock()
	l.stopping = true
	names := make([]string, 0, len(l.places))
	for name := range l.places {
		names = append(names, name)
	}
	l.mu.Unlock()
	var all error
	for _, name := range names {
		all = errors.Join(all, l.inTurn(ctx, name, func(p *place) error {
			if p.held == nil {
				return nil
			}
			return l.close(p)
		}))
	}
	return all
}

func (l *Leases) isStopping() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopping
}

// Sessions returns the sessions there are.
func (l *Leases) Sessions() []*Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*Session
	for _, p := range l.places {
		if p.held != nil {
			all = append(all, p.held.session)
		}
	}
	return all
}

// Stopping is the answer while the sidecar stops.
func Stopping() error {
	return failure.New(pb.Failure_STOPPING, "the sidecar is stopping; try again")
}

// inTurn runs step while nobody else opens or closes the store of that name.
func (l *Leases) inTurn(ctx context.Context, name string, step func(*place) error) error {
	p := l.come(name)
	defer l.leave(p)
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.turn }()
	return step(p)
}

func (l *Leases) come(name string) *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.places[name]
	if p == nil {
		p = &place{name: name, turn: make(chan struct{}, 1)}
		l.places[name] = p
	}
	p.users++
	return p
}

func (l *Leases) leave(p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.users--
	if p.users == 0 && p.held == nil {
		delete(l.places, p.name)
	}
}
