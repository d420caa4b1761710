// Package space measures disks.
package space

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Free returns the bytes that may still be written to the file system of a directory.
func Free(dir string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, fmt.Errorf("cannot ask for the free space of %s: %w", dir, err)
	}
	return int64(stat.Bavail) * int64(stat.Bsize), nil
}

// Allocated returns the bytes that the files of a directory take on disk. Files that are longer than
// what was written to them, as Badger's logs are, count only for what is there.
func Allocated(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("cannot list %s: %w", dir, err)
	}
	var total int64
	for _, entry := range entries {
		var stat unix.Stat_t
		err := unix.Lstat(filepath.Join(dir, entry.Name()), &stat)
		if errors.Is(err, fs.ErrNotExist) {
			continue // compacted away meanwhile
		}
		if err != nil {
			return 0, fmt.Errorf("cannot measure %s: %w", entry.Name(), err)
		}
		total += stat.Blocks * 512
	}
	return total, nil
}
