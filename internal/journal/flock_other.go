//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package journal

import (
	"errors"
	"os"
)

// tryLock refuses: without a lock two commands could lose each other's words.
func tryLock(*os.File, bool) (bool, error) {
	return false, errors.New("this system cannot lock files: keep the record in a table")
}
