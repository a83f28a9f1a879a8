// Package patch is Plan and Edit: documents in, documents out. A plan says what would change, proves nothing by itself, and
// writes nothing; package diagnose makes plans, package guard judges them, stores carry them out.
package patch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// Class is what an edit or a cure may be at most, before modes and approved routes are asked.
type Class string

// The classes, from the mildest to the strictest.
const (
	None      Class = "none"      // there is nothing to cure
	Automatic Class = "automatic" // may be done without asking on an approved route
	Approval  Class = "approval"  // a person must agree
	Manual    Class = "manual"    // no edit can or may cure it
)

var strictness = map[Class]int{None: 0, Automatic: 1, Approval: 2, Manual: 3}

// Stricter is the stricter of two classes.
func Stricter(a, b Class) Class {
	if strictness[b] > strictness[a] {
		return b
	}
	return a
}

// Tuple is one permission that an edit adds: principal, action, resource, each exact or a pattern as the document writes it.
type Tuple [3]string

// Edit replaces one document. Before and After are absent where there is no document; they are never missing, because a
// document that could not be read cannot be edited.
type Edit struct {
	Document snapshot.Ref                    `json:"document"`
	Before   snapshot.Value[policy.Document] `json:"before"`
	After    snapshot.Value[policy.Document] `json:"after"`
	Adds     []Tuple                         `json:"adds"`
	Account  string                          `json:"account,omitempty"` // the owner of the document
	Cures    []string                        `json:"cures,omitempty"`   // the causes
	Class    Class                           `json:"class"`
}

// Proof is the verdict on the route before and after the edits, both from the evaluator.
type Proof struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// Plan is the cheapest set of edits that cures a route, in the order in which they are to be written.
type Plan struct {
	Edits []Edit `json:"edits"`
	Proof Proof  `json:"proof"`
	Class Class  `json:"class"` // the strictest class of its edits
	// Cost is what the plan takes, and Alternatives the ways that would have cured the route as well.
	Cost         Cost          `json:"cost,omitzero"`
	Alternatives []Alternative `json:"alternatives,omitempty"`
	// Owners is what each owner has to change, where the plan touches more than one account.
	Owners []Half `json:"owners,omitempty"`
}

// Apply is the snapshot with every edit made. It fails when a document is not what the edit expects; nothing is half done.
func (p Plan) Apply(s *snapshot.Snapshot) (*snapshot.Snapshot, error) {
	out := s
	for _, e := range p.Edits {
		live := out.Document(e.Document)
		if !Same(live, e.Before) {
			if Same(live, e.After) {
				continue // applying twice is applying once
			}
			return nil, fmt.Errorf("apply edit of %s: %w", e.Document, snapshot.ErrDrift)
		}
		next, ok := out.WithDocument(e.Document, e.After)
		if !ok {
			return nil, fmt.Errorf("apply edit of %s: the snapshot does not have its owner", e.Document)
		}
		out = next
	}
	return out, nil
}

// Same says whether two values are the same document or both absent. A missing value is the same as nothing.
func Same(a, b snapshot.Value[policy.Document]) bool {
	if a.State != b.State || a.State == snapshot.Missing {
		return false
	}
	return a.State == snapshot.Absent || a.V.Equal(b.V)
}

// Alike says whether two values are the same document to AWS, or both absent: S3 gives back its own form of what it stores.
// Partition is that of what the document belongs to. A missing value is like nothing.
func Alike(a, b snapshot.Value[policy.Document], partition string) bool {
	if a.State != b.State || a.State == snapshot.Missing {
		return false
	}
	return a.State == snapshot.Absent || a.V.Equivalent(b.V, partition)
}

// Invert is the plan that undoes this one, in the opposite order. Where no document existed before, it removes the document.
func (p Plan) Invert() Plan {
	out := Plan{Proof: Proof{Before: p.Proof.After, After: p.Proof.Before}, Class: p.Class}
	for i := len(p.Edits) - 1; i >= 0; i-- {
		e := p.Edits[i]
		e.Before, e.After, e.Adds = e.After, e.Before, nil
		out.Edits = append(out.Edits, e)
	}
	return out
}

// Hash identifies the plan: the SHA-256 of its edits, in hexadecimal. Equal hashes are the same edits of documents that mean the same:
// S3 orders the principals of a bucket policy anew with each reading, which must not make another plan of it.
func (p Plan) Hash() string {
	type edit struct {
		Document      snapshot.Ref
		Before, After *string
	}
	text := func(v snapshot.Value[policy.Document]) *string {
		d, ok := v.Get()
		if !ok {
			return nil
		}
		return new(d.Canonical("aws")) // an account's root reads alike in every partition
	}
	edits := make([]edit, len(p.Edits))
	for i, e := range p.Edits {
		edits[i] = edit{e.Document, text(e.Before), text(e.After)}
	}
	out, err := json.Marshal(edits)
	if err != nil {
		return "" // texts always print
	}
	sum := sha256.Sum256(out)
	return hex.EncodeToString(sum[:])
}

func pointer(v snapshot.Value[policy.Document]) *policy.Document {
	if d, ok := v.Get(); ok {
		return &d
	}
	return nil
}

// MarshalJSON is the contract's shape: an absent document is null.
func (e Edit) MarshalJSON() ([]byte, error) {
	adds := e.Adds
	if adds == nil {
		adds = []Tuple{}
	}
	return json.Marshal(struct {
		Document snapshot.Ref     `json:"document"`
		Before   *policy.Document `json:"before"`
		After    *policy.Document `json:"after"`
		Adds     []Tuple          `json:"adds"`
		Account  string           `json:"account,omitempty"`
		Cures    []string         `json:"cures,omitempty"`
		Class    Class            `json:"class"`
	}{e.Document, pointer(e.Before), pointer(e.After), adds, e.Account, e.Cures, e.Class})
}

// Diff is the edit as a unified diff of the indented documents. A document that does not exist is /dev/null.
func (e Edit) Diff() string {
	text := func(v snapshot.Value[policy.Document]) (string, string) {
		if d, ok := v.Get(); ok {
			return e.Document.String(), d.Indent() + "\n"
		}
		return "/dev/null", ""
	}
	from, before := text(e.Before)
	to, after := text(e.After)
	return udiff.Unified(from, to, before, after)
}

// Diff is every edit's diff.
func (p Plan) Diff() string {
	var b strings.Builder
	for _, e := range p.Edits {
		b.WriteString(e.Diff())
	}
	return b.String()
}
