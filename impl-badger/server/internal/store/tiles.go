package store

import "bytes"

// tiles returns byte prefixes that lie wholly in [first, end), the shortest first, down to a depth
// below the bytes that first and end have in common. What they leave of the range lies at its edges.
func tiles(first, end []byte, depth int) [][]byte {
	common := len(commonPrefix(first, end))
	var found [][]byte
	for at := common; at < common+depth; at++ {
		low, high := byteAt(first, at), byteAt(end, at)
		if at == common {
			found = appendTiles(found, first[:min(at, len(first))], low+1, high)
			continue
		}
		if at <= len(first) {
			found = appendTiles(found, first[:at], low+1, 256)
		}
		if at < len(end) {
			found = appendTiles(found, end[:at], 0, high)
		}
	}
	return found
}

// byteAt returns the byte at a place, or -1 behind the end: what is shorter comes first.
func byteAt(key []byte, at int) int {
	if at < len(key) {
		return int(key[at])
	}
	return -1
}

func appendTiles(found [][]byte, prefix []byte, from, to int) [][]byte {
	for b := from; b < to; b++ {
		found = append(found, append(bytes.Clone(prefix), byte(b)))
	}
	return found
}
