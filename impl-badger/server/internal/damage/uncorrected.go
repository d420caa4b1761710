//go:build !badger_corrected

package damage

// Complete tells whether Badger was compiled with the correction that the script correct makes. The
// scripts build and check do so; without it, a rare kind of damage goes unnoticed.
const Complete = false
