// Package listen opens the sidecar's addresses.
package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const maxSocketPath = 107

// Unix listens on a socket that only this user can open. A socket that is left over is removed; one
// that somebody answers on is not.
func Unix(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path of a socket has at most %d bytes, found %d in %s; use a shorter one", maxSocketPath, len(path), path)
	}
	if err := checkParent(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	old := unix.Umask(0o177)
	listener, err := net.Listen("unix", path)
	unix.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot close %s to others: %w", path, err), listener.Close())
	}
	return listener, nil
}

// checkParent refuses a directory in which others could put another socket in the place of ours.
func checkParent(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("cannot look at the directory of the socket: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("expected that only its owner can write to %s, found mode %04o; choose a directory of your own", dir, info.Mode().Perm())
	}
	return nil
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot look at %s: %w", path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("expected nothing or a socket at %s, found something else; choose another path", path)
	}
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		return errors.Join(fmt.Errorf("another sidecar answers on %s; stop it, or choose another path", path), conn.Close())
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("cannot remove the socket that was left over: %w", err)
	}
	return nil
}
