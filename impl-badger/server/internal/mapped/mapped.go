// Package mapped shows the bytes of a file without reading them all into memory.
package mapped

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Read shows the bytes of a file, which are gone when it returns. They change when the file does.
func Read(path string, show func(data []byte) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot open it: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("cannot measure it: %w", err)
	}
	if info.Size() == 0 {
		return show(nil)
	}
	data, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("cannot map it: %w", err)
	}
	defer func() { err = errors.Join(err, unix.Munmap(data)) }()
	return show(data)
}
