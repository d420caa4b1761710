// Package sst checks the tables of a Badger store from the outside, block by block, with nothing of
// Badger's own readers, which keep some damage to themselves.
package sst

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/options"
	badgerpb "github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/klauspost/compress/s2"
	"google.golang.org/protobuf/proto"

	"io.ledgerkeep/badger/server/internal/mapped"
)

// ErrDamaged is the cause of every finding.
var ErrDamaged = errors.New("damaged")

// Depth is how much of a table is looked at.
type Depth int

const (
	// Index checks the end of a table: its index and the index's checksum.
	Index Depth = iota
	// Blocks checks every byte.
	Blocks
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CheckStore checks the tables that the manifest in dir names. A table that a running store compacts
// away meanwhile is passed over if mayVanish; else it is missed.
func CheckStore(dir string, depth Depth, mayVanish bool) error {
	tables, err := manifest(dir)
	if err != nil {
		return err
	}
	for id, entry := range tables {
		file := filepath.Join(dir, table.IDToFilename(id))
		err := checkFile(file, entry.Compression, depth)
		if mayVanish && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("table %s: %w", filepath.Base(file), err)
		}
	}
	return nil
}

// CheckClosed checks that the manifest in dir is whole and names every table there. After a kill a
// change may be cut short, and then be undone; a store that was closed has no such thing.
func CheckClosed(dir string) error {
	path := filepath.Join(dir, badger.ManifestFilename)
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot look at the manifest: %w", err)
	}
	named, end, err := replay(dir)
	if err != nil {
		return err
	}
	if end != info.Size() {
		return fmt.Errorf("the manifest is %w: %d bytes can be read, of %d", ErrDamaged, end, info.Size())
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return fmt.Errorf("cannot list the tables: %w", err)
	}
	for _, file := range files {
		if id, ok := table.ParseFileID(file); ok && !has(named, id) {
			return fmt.Errorf("the manifest is %w, or an older one: it does not name table %s", ErrDamaged, filepath.Base(file))
		}
	}
	return nil
}

func has(named map[uint64]badger.TableManifest, id uint64) bool {
	_, ok := named[id]
	return ok
}

func manifest(dir string) (map[uint64]badger.TableManifest, error) {
	tables, _, err := replay(dir)
	return tables, err
}

// replay returns the tables that the manifest names, and how many of its bytes are whole.
func replay(dir string) (map[uint64]badger.TableManifest, int64, error) {
	file, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		return nil, 0, fmt.Errorf("cannot open the manifest: %w", err)
	}
	defer file.Close()
	replayed, end, err := badger.ReplayManifestFile(file, 0, badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		return nil, 0, fmt.Errorf("the manifest is %w: %v", ErrDamaged, err)
	}
	return replayed.Tables, end, nil
}

func checkFile(path string, compression options.CompressionType, depth Depth) error {
	return mapped.Read(path, func(data []byte) (err error) {
		if len(data) == 0 {
			return fmt.Errorf("it is %w: expected an index, found no bytes", ErrDamaged)
		}
		defer func() {
			if recover() != nil {
				err = fmt.Errorf("its structure is %w", ErrDamaged)
			}
		}()
		return checkTable(data, compression, depth)
	})
}

// A table ends with: index, its length, checksum of the index, its length.
func checkTable(data []byte, compression options.CompressionType, depth Depth) error {
	index, sum, err := cutTail(data)
	if err != nil {
		return fmt.Errorf("its index is %w: %v", ErrDamaged, err)
	}
	size := int(binary.BigEndian.Uint32(index[len(index)-4:]))
	index = index[:len(index)-4]
	index = index[len(index)-size:]
	if err := verify(index, sum); err != nil {
		return fmt.Errorf("its index is %w: %v", ErrDamaged, err)
	}
	if depth == Index {
		return nil
	}
	root := fb.GetRootAsTableIndex(index, 0)
	for i := range root.OffsetsLength() {
		var at fb.BlockOffset
		if !root.Offsets(&at, i) {
			return fmt.Errorf("its index is %w: block %d is not in it", ErrDamaged, i)
		}
		if err := checkBlock(data[at.Offset():at.Offset()+at.Len()], compression); err != nil {
			return fmt.Errorf("its block %d is %w: %v", i, ErrDamaged, err)
		}
	}
	return nil
}

// A block, when unpacked, ends with: checksum of what is before, its length.
func checkBlock(packed []byte, compression options.CompressionType) error {
	block := packed
	switch compression {
	case options.None:
	case options.Snappy:
		unpacked, err := s2.Decode(nil, packed)
		if err != nil {
			return errors.New("it does not unpack")
		}
		block = unpacked
	default:
		return fmt.Errorf("its compression is %d, expected none or Snappy", compression)
	}
	body, sum, err := cutTail(block)
	if err != nil {
		return err
	}
	return verify(body, sum)
}

// cutTail takes the checksum off the end of data.
func cutTail(data []byte) (body []byte, sum *badgerpb.Checksum, err error) {
	end := len(data) - 4
	if end < 0 {
		return nil, nil, errors.New("too short")
	}
	size := int(binary.BigEndian.Uint32(data[end:]))
	if size > end {
		return nil, nil, errors.New("the length of its checksum is wrong")
	}
	sum = new(badgerpb.Checksum)
	if err := proto.Unmarshal(data[end-size:end], sum); err != nil {
		return nil, nil, errors.New("its checksum is unreadable")
	}
	return data[:end-size], sum, nil
}

func verify(data []byte, sum *badgerpb.Checksum) error {
	if sum.GetAlgo() != badgerpb.Checksum_CRC32C {
		return errors.New("its checksum is of an unknown kind")
	}
	if found := uint64(crc32.Checksum(data, castagnoli)); found != sum.GetSum() {
		return fmt.Errorf("expected checksum %d, found %d", sum.GetSum(), found)
	}
	return nil
}
