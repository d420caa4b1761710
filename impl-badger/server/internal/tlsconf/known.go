package tlsconf

import (
	"crypto/x509"
	"sync"
	"time"
)

const (
	knownFor  = time.Second
	knownMost = 1024
)

// known has the certificates that were accepted a moment ago, since to verify one takes longer than most
// calls do.
type known struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (k *known) has(chain []*x509.Certificate, now time.Time) bool {
	if len(chain) == 0 {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return now.Before(k.until[string(chain[0].Raw)])
}

func (k *known) add(chain []*x509.Certificate, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.until == nil || len(k.until) >= knownMost {
		k.until = map[string]time.Time{}
	}
	k.until[string(chain[0].Raw)] = now.Add(knownFor)
}

// forget makes every certificate be looked at again.
func (k *known) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.until)
}
