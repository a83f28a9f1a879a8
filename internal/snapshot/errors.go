package snapshot

import "errors"

// ErrDrift says that a live document is no longer the one that a plan was made from. A store that answers it has written
// nothing.
var ErrDrift = errors.New("document changed since it was read")

// ErrUnwritable says that a document is not to be written, that AWS would not store it, or that what has to be known before could
// not be found out. A store that answers it has written nothing.
var ErrUnwritable = errors.New("document cannot be written")
