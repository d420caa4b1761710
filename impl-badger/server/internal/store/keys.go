package store

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/dgraph-io/badger/v4"
)

// What a store has in Badger: the user's entries behind 'd', the sidecar's own records behind 'm', and
// behind 's' what is written only to be dropped again.
const (
	dataPrefix    = 'd'
	recordPrefix  = 'm'
	scratchPrefix = 's'
)

var (
	formatKey    = []byte{recordPrefix, 'f'}
	ownerKey     = []byte{recordPrefix, 'o'}
	lastWriteKey = []byte{recordPrefix, 'w'}
	loadingKey   = []byte{recordPrefix, 'l'}
	castagnoli   = crc32.MakeTable(crc32.Castagnoli)
)

const frameBytes = 4

func dataKey(key []byte) []byte {
	return append([]byte{dataPrefix}, key...)
}

// dataEnd is the first key behind a range of the user's.
func dataEnd(end []byte) []byte {
	if len(end) == 0 {
		return []byte{dataPrefix + 1}
	}
	return dataKey(end)
}

// frame puts a checksum of key and value before the value. Badger answers a value that it cannot read
// from its log with an empty one and no error; this shows it, and an empty value is told from none.
func frame(key, value []byte) []byte {
	framed := make([]byte, frameBytes+len(value))
	binary.BigEndian.PutUint32(framed, checksum(key, value))
	copy(framed[frameBytes:], value)
	return framed
}

// unframe returns the value, as a part of framed, or false if it is not what was put.
func unframe(key, framed []byte) ([]byte, bool) {
	if len(framed) < frameBytes {
		return nil, false
	}
	value := framed[frameBytes:]
	return value, binary.BigEndian.Uint32(framed) == checksum(key, value)
}

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

func framedEntry(key, value []byte) *badger.Entry {
	return badger.NewEntry(key, frame(key, value))
}
