package snapshot

import "errors"

// ErrDrift says that a live document is no longer the one that a plan was made from. A store that answers it has written
// nothing.
var ErrDrift = errors.New("document changed since it was read")
