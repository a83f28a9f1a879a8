package route

import "fmt"

// Hop is one step of a replication or of an access, in the order in which S3 takes them.
type Hop uint8

// The hops.
const (
	AssumeRole Hop = iota
	ReadConfig
	ReadObject
	DecryptSource
	WriteReplica
	EncryptReplica
	OwnReplica
	WriteTags
	WriteDeleteMarker
	LockReplica
	// Those of an access: what S3 authorises for a principal that reads or writes.
	GetObject
	DecryptObject
	PutObject
	EncryptObject
	hopCount
)

var hopNames = [...]string{
	"assume-role", "read-config", "read-object", "decrypt-source", "write-replica", "encrypt-replica", "own-replica",
	"write-tags", "write-delete-marker", "lock-replica",
	"get-object", "decrypt-object", "put-object", "encrypt-object",
}

// String is the hop's name in the contract.
func (h Hop) String() string { return hopNames[h] }

// MarshalText is String.
func (h Hop) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseHop.
func (h *Hop) UnmarshalText(text []byte) error {
	parsed, err := ParseHop(string(text))
	*h = parsed
	return err
}

// ParseHop reads a hop's name.
func ParseHop(s string) (Hop, error) {
	for i, name := range hopNames {
		if name == s {
			return Hop(i), nil
		}
	}
	return 0, fmt.Errorf("unknown hop %q", s)
}

// Hops is every hop in its order.
func Hops() []Hop {
	out := make([]Hop, hopCount)
	for i := range out {
		out[i] = Hop(i)
	}
	return out
}

// Evidence grades how sure a fact is.
type Evidence string

// The grades.
const (
	Documented Evidence = "documented" // an AWS page says so, and none disagrees
	Disputed   Evidence = "disputed"   // AWS's pages, or a page and a reported test, disagree
	Inferred   Evidence = "inferred"   // a deduction
)

// Need says what the denial of a request means for the object.
type Need string

// The needs.
const (
	Required    Need = "required"    // the object fails
	Conditional Need = "conditional" // it fails if the disputed requirement is real
	Partial     Need = "partial"     // it arrives, but something of it is lost
	DenyOnly    Need = "deny-only"   // another permission implies it; only an explicit Deny hurts, and then as Partial does
	Advisory    Need = "advisory"    // some page lists it, and there is a report that it is not needed
)
