package listen

import (
	"fmt"
	"net"
)

// TCP listens on an address.
func TCP(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return listener, nil
}

// Loopback listens on an address that no other machine can reach, and refuses any other.
func Loopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("expected HOST:PORT, found %q: %w", address, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("expected a loopback address such as 127.0.0.1 or ::1, found %q; use TLS on any other", host)
	}
	return TCP(address)
}
