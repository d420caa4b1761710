package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	pb "io.ledgerkeep/badger/server/internal/enginepb"
	"io.ledgerkeep/badger/server/internal/failure"
)

const (
	ownerFile    = "OWNER"
	damagedFile  = "DAMAGED"
	closedFile   = "CLOSED"
	manifestFile = "MANIFEST"
)

// What a creation that was cut short before it had a manifest may have left behind.
var ofCreation = []string{ownerFile, "LOCK", "MANIFEST-REWRITE"}

// isFresh tells whether a store is still to be made in dir. What is neither that nor a store is
// refused.
func isFresh(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, failure.New(pb.Failure_INVALID, "cannot list the directory of the store: %w", err)
	}
	fresh, begun := true, false
	for _, entry := range entries {
		if entry.Name() == manifestFile {
			return false, nil
		}
		fresh = fresh && slices.Contains(ofCreation, entry.Name())
		begun = begun || isOfBadger(entry.Name())
	}
	if begun {
		return false, failure.New(pb.Failure_DAMAGED,
			"the store in %s is damaged: its file %s is missing; rebuild or restore it into an empty directory", dir, manifestFile)
	}
	if !fresh {
		return false, failure.New(pb.Failure_UNSUPPORTED_FORMAT,
			"%s is not empty and has no store of Badger; name another directory", dir)
	}
	return true, nil
}

// isOfBadger tells whether a file is one that Badger makes after the manifest.
func isOfBadger(name string) bool {
	return name == "KEYREGISTRY" || slices.Contains([]string{".sst", ".mem", ".vlog"}, filepath.Ext(name))
}

// IsStore tells whether a directory holds a store, or the beginning of one.
func IsStore(dir string) bool { return isFile(dir, manifestFile) || isFile(dir, ownerFile) }

// removeUnbegun removes logs that a kill has cut short between their creation and their first byte.
// Badger refuses to open a store that has one.
func removeUnbegun(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if kind := filepath.Ext(entry.Name()); kind != ".mem" && kind != ".vlog" {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Size() == 0 {
			if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

type ownerRecord struct {
	Name    string `json:"name"`
	Process int64  `json:"process"`
	Since   int64  `json:"sinceUnixMillis"`
	Sidecar int    `json:"sidecarProcess"`
}

// ownership is the lock of a store's directory. Its file tells who has it.
type ownership struct{ file *os.File }

func takeOwnership(dir, name string, owner failure.Owner) (*ownership, error) {
	file, err := os.OpenFile(filepath.Join(dir, ownerFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, ioFailure(err, "cannot open the file %s of store %s", ownerFile, name)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer file.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ioFailure(err, "cannot lock store %s", name)
		}
		return nil, failure.Leased(name, readOwner(file))
	}
	o := &ownership{file: file}
	if err := o.write(owner); err != nil {
		o.release()
		return nil, ioFailure(err, "cannot write the file %s of store %s", ownerFile, name)
	}
	return o, nil
}

func readOwner(file *os.File) failure.Owner {
	var record ownerRecord
	if err := json.NewDecoder(file).Decode(&record); err != nil {
		return failure.Owner{Name: "unknown, in another sidecar"}
	}
	return failure.Owner{Name: record.Name, Process: record.Process, SinceUnixMillis: record.Since}
}

func (o *ownership) write(owner failure.Owner) error {
	text, err := json.Marshal(ownerRecord{owner.Name, owner.Process, owner.SinceUnixMillis, os.Getpid()})
	if err != nil {
		return err
	}
	if err := o.file.Truncate(0); err != nil {
		return err
	}
	_, err = o.file.WriteAt(append(text, '\n'), 0)
	return err
}

// release lets the next one in. That the file cannot be emptied or closed harms nobody.
func (o *ownership) release() {
	_ = o.file.Truncate(0)
	_ = o.file.Close()
}

// markDamaged makes the finding outlive the process: what a compaction made of the damage is not to
// be trusted either.
func markDamaged(dir, finding string) error {
	text := finding + "\nRebuild or restore this store into an empty directory.\n"
	if err := os.WriteFile(filepath.Join(dir, damagedFile), []byte(text), 0o600); err != nil {
		return fmt.Errorf("cannot write the mark %s: %w", damagedFile, err)
	}
	return syncDirectory(dir)
}

func syncDirectory(dir string) error {
	handle, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("cannot open %s: %w", dir, err)
	}
	return errors.Join(handle.Sync(), handle.Close())
}

func isMarkedDamaged(dir string) bool { return isFile(dir, damagedFile) }

// markClosed says that Badger has put its files in order: nothing in them is there to be undone.
func markClosed(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, closedFile), nil, 0o600); err != nil {
		return fmt.Errorf("cannot write the mark %s: %w", closedFile, err)
	}
	return syncDirectory(dir)
}

func unmarkClosed(dir string) error {
	if !isMarkedClosed(dir) {
		return nil
	}
	if err := os.Remove(filepath.Join(dir, closedFile)); err != nil {
		return fmt.Errorf("cannot remove the mark %s: %w", closedFile, err)
	}
	return syncDirectory(dir)
}

func isMarkedClosed(dir string) bool { return isFile(dir, closedFile) }

func isFile(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular()
}

func ioFailure(err error, format string, args ...any) *failure.Error {
	reason := pb.Failure_FAILED
	if isFull(err) {
		reason = pb.Failure_DISK_FULL
	}
	return failure.New(reason, format+": %w", append(args, err)...)
}
