// Package storetest is what every store of documents promises, as tests: put over what was there, undo, drift, writing twice,
// refusals. The lab's store and the one of AWS pass the same suite, so that what is proven with the one holds for the other.
//
// Only tests import it. It knows the port of package remedy and no implementation.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// Store is the port that is tested.
type Store interface {
	Put(ctx context.Context, by incident.Authority, e patch.Edit) error
}

// Subject is a store with the world that it writes to.
type Subject struct {
	Store Store
	// By is on whose word the store may write each of the documents.
	By incident.Authority
	// Documents is the places that are written, one of each kind. What each belongs to exists; the suite sets the documents.
	Documents []snapshot.Ref
	// Nowhere is documents that the store could write, of things that do not exist.
	Nowhere []snapshot.Ref
	// Role is the ARN of a role that exists, as the principal of statements, and Account the one that owns the documents.
	Role, Account string
	// Sequences is how many random sequences of writes are tried of each document, where each takes long; 0: as rapid has it.
	Sequences int
	// Set changes a document behind the store's back, and Read reads one without the store.
	Set  func(t *testing.T, ref snapshot.Ref, d snapshot.Value[policy.Document])
	Read func(t *testing.T, ref snapshot.Ref) snapshot.Value[policy.Document]
}

// value is a document or that there is none.
type value = snapshot.Value[policy.Document]

var absent = snapshot.None[policy.Document]()

// Run runs the suite. Each test has a subject of its own.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Subject, ref snapshot.Ref)
	}{
		{"what is added is written and what was there stays", addsToWhatIsThere},
		{"what is added is taken back", takesBack},
		{"a first document is undone by deleting it", undoesTheFirst},
		{"a document that changed is left alone", leavesDriftAlone},
		{"writing twice is writing once", writesOnce},
		{"a document that is too large is refused", refusesTooLarge},
		{"a malformed document is refused", refusesMalformed},
		{"a document that is not known is not written", refusesUnknown},
		{"nothing is written for a caller who has gone", heedsCancellation},
		{"any sequence of writes does what it says", keepsToTheModel},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := subject(t)
			for _, ref := range s.Documents {
				t.Run(string(ref.Kind), func(t *testing.T) { c.test(t, s, ref) })
			}
		})
	}
	t.Run("what does not exist has no documents", func(t *testing.T) {
		t.Parallel()
		s := subject(t)
		for _, ref := range s.Nowhere {
			e := patch.Edit{Document: ref, Before: absent, After: snapshot.Of(s.foreign(t, ref))}
			if ref.Kind != snapshot.RolePolicy && !ref.Kind.OfBucket() {
				e.Before = snapshot.Of(s.foreign(t, ref))
				e.After = s.added(t, ref, e.Before, "A")
			}
			if err := s.put(t, e); err == nil || errors.Is(err, snapshot.ErrDrift) {
				t.Errorf("%s: %v, want an error that is no drift", ref, err)
			}
		}
	})
	t.Run("other kinds are refused", func(t *testing.T) {
		t.Parallel()
		s := subject(t)
		for _, kind := range []snapshot.Kind{
			snapshot.PermissionsBoundary, snapshot.KeyGrant, snapshot.KeyState, snapshot.ReplicationConfig, snapshot.BucketConfig,
			snapshot.ObjectKind, snapshot.SCP, snapshot.RCP, "", "no-such-kind",
		} {
			for _, of := range s.Documents {
				ref := snapshot.Ref{Kind: kind, ID: of.ID, Name: of.Name}
				e := patch.Edit{Document: ref, Before: absent, After: snapshot.Of(s.foreign(t, of))}
				if err := s.put(t, e); err == nil || errors.Is(err, snapshot.ErrDrift) {
					t.Errorf("%s: %v, want a refusal", ref, err)
				}
			}
		}
	})
}

func addsToWhatIsThere(t *testing.T, s Subject, ref snapshot.Ref) {
	before := s.start(t, ref)
	after := s.added(t, ref, before, "A")
	s.must(t, patch.Edit{Document: ref, Before: before, After: after})
	got := s.want(t, ref, after)
	// Said of what was read by itself, so that it does not rest on how documents are put together.
	if got.V.Version != before.V.Version || got.V.ID != before.V.ID {
		t.Errorf("version %q and id %q became %q and %q", before.V.Version, before.V.ID, got.V.Version, got.V.ID)
	}
	for i, want := range before.V.Statements {
		if !got.V.Statements[i].Equal(want) {
			t.Errorf("statement %s is not as and where it was", want.Name(i))
		}
	}
	if n := len(before.V.Statements) + 1; len(got.V.Statements) != n {
		t.Errorf("%d statements, want %d", len(got.V.Statements), n)
	}
}

func takesBack(t *testing.T, s Subject, ref snapshot.Ref) {
	before := s.start(t, ref)
	after := s.added(t, ref, before, "A")
	s.must(t, patch.Edit{Document: ref, Before: before, After: after})
	s.must(t, patch.Edit{Document: ref, Before: after, After: before})
	s.want(t, ref, before)
}

func undoesTheFirst(t *testing.T, s Subject, ref snapshot.Ref) {
	if !deletable(ref) {
		before := s.start(t, ref)
		s.refused(t, patch.Edit{Document: ref, Before: before, After: absent}, before)
		return
	}
	s.set(t, ref, absent)
	first := s.added(t, ref, absent, "A")
	s.must(t, patch.Edit{Document: ref, Before: absent, After: first})
	s.want(t, ref, first)
	s.must(t, patch.Edit{Document: ref, Before: first, After: absent})
	s.want(t, ref, absent)
	s.must(t, patch.Edit{Document: ref, Before: first, After: absent})
	s.want(t, ref, absent)
}

func leavesDriftAlone(t *testing.T, s Subject, ref snapshot.Ref) {
	before := s.start(t, ref)
	after := s.added(t, ref, before, "A")
	changed := s.added(t, ref, before, "B")
	drift := func(e patch.Edit, live value) {
		t.Helper()
		s.set(t, ref, live)
		if err := s.put(t, e); !errors.Is(err, snapshot.ErrDrift) {
			t.Errorf("got %v, want drift", err)
		}
		s.want(t, ref, live)
	}
	drift(patch.Edit{Document: ref, Before: before, After: after}, changed)
	drift(patch.Edit{Document: ref, Before: after, After: before}, changed)
	if deletable(ref) {
		drift(patch.Edit{Document: ref, Before: before, After: after}, absent)
		drift(patch.Edit{Document: ref, Before: absent, After: after}, before)
		ours := s.added(t, ref, absent, "C")
		drift(patch.Edit{Document: ref, Before: ours, After: absent}, changed)
	}
}

func writesOnce(t *testing.T, s Subject, ref snapshot.Ref) {
	before := s.start(t, ref)
	after := s.added(t, ref, before, "A")
	for range 2 {
		s.must(t, patch.Edit{Document: ref, Before: before, After: after})
		s.want(t, ref, after)
	}
	for range 2 {
		s.must(t, patch.Edit{Document: ref, Before: after, After: before})
		s.want(t, ref, before)
	}
}

func refusesTooLarge(t *testing.T, s Subject, ref snapshot.Ref) {
	before := s.start(t, ref)
	after := before
	for i := range 80 { // at least 40 KB, more than any service stores
		after = s.added(t, ref, after, fmt.Sprintf("Long%d%s", i, strings.Repeat("x", 500)))
	}
	s.refused(t, patch.Edit{Document: ref, Before: before, After: after}, before)
}

func refusesMalformed(t *testing.T, s Subject, ref snapshot.Ref) {
	before := s.start(t, ref)
	good := s.spec(ref, "A")
	without, gone := good, good
	switch {
	case ref.Kind == snapshot.RolePolicy:
		without.Principals = []policy.Principal{{Kind: policy.PrincipalAWS, Value: s.Role}}
	default:
		without.Principals = nil
		gone.Principals = []policy.Principal{{Kind: policy.PrincipalAWS, Value: "AROAEXAMPLETHATISGONE"}}
	}
	append1 := func(specs ...policy.StatementSpec) value {
		d := before.V
		for _, spec := range specs {
			d = d.Append(build(t, spec))
		}
		return snapshot.Of(d)
	}
	bad := map[string]value{
		"a statement with a principal where none may be, or none where one must be": append1(without),
		"a Sid that stands twice": append1(good, good),
	}
	if ref.Kind != snapshot.RolePolicy {
		bad["a principal that is gone"] = append1(gone)
	}
	for name, after := range bad {
		t.Run(name, func(t *testing.T) { s.refused(t, patch.Edit{Document: ref, Before: before, After: after}, before) })
	}
}

func refusesUnknown(t *testing.T, s Subject, ref snapshot.Ref) {
	before := s.start(t, ref)
	s.refused(t, patch.Edit{Document: ref, Before: before, After: value{}}, before)
	if err := s.put(t, patch.Edit{Document: ref, After: s.added(t, ref, before, "A")}); err == nil {
		t.Error("a document was written over one that is not known")
	}
	s.want(t, ref, before)
}

func heedsCancellation(t *testing.T, s Subject, ref snapshot.Ref) {
	before := s.start(t, ref)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := patch.Edit{Document: ref, Before: before, After: s.added(t, ref, before, "A")}
	if err := s.Store.Put(ctx, s.By, e); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the caller has gone", err)
	}
	s.want(t, ref, before)
}

// keepsToTheModel makes random writes, undoings and edits of others, from images that may be old, and holds each against what a
// store of one value does. The documents that can come up form a chain of additions to one document, so that every edit
// between two of them is an edit that a store may make.
func keepsToTheModel(t *testing.T, s Subject, ref snapshot.Ref) {
	chain := []value{absent, s.added(t, ref, absent, "A")}
	if !deletable(ref) {
		chain = []value{s.start(t, ref)}
	}
	for _, sid := range []string{"B", "C"} {
		chain = append(chain, s.added(t, ref, chain[len(chain)-1], sid))
	}
	sequences := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) move {
		pick := rapid.IntRange(0, len(chain)-1)
		return move{pick.Draw(rt, "before"), pick.Draw(rt, "after"), rapid.Bool().Draw(rt, "foreign")}
	}), 2, 6)
	for seed := range s.Sequences {
		moves := sequences.Example(seed)
		if fault := s.play(t, ref, chain, moves); fault != "" {
			t.Fatalf("%+v: %s", moves, fault)
		}
	}
	if s.Sequences > 0 {
		return
	}
	rapid.Check(t, func(rt *rapid.T) {
		if fault := s.play(t, ref, chain, sequences.Draw(rt, "moves")); fault != "" {
			rt.Fatal(fault)
		}
	})
}

// move is an edit between two documents of a chain. A foreign one is made by somebody else, whatever is there.
type move struct {
	before, after int
	foreign       bool
}

// play makes the moves, the first of them always by somebody else, and says where the store did not do what a store of one value
// does.
func (s Subject) play(t *testing.T, ref snapshot.Ref, chain []value, moves []move) string {
	t.Helper()
	moves[0].foreign = true
	var model value
	for i, m := range moves {
		before, after := chain[m.before], chain[m.after]
		if m.foreign {
			model = after
			s.set(t, ref, model)
			continue
		}
		err := s.put(t, patch.Edit{Document: ref, Before: before, After: after})
		switch {
		case patch.Same(model, after):
			if err != nil {
				return fmt.Sprintf("move %d, what is there already: %v", i, err)
			}
		case patch.Same(model, before):
			if err != nil {
				return fmt.Sprintf("move %d, what fits: %v", i, err)
			}
			model = after
		case !errors.Is(err, snapshot.ErrDrift):
			return fmt.Sprintf("move %d, what does not fit: %v, want drift", i, err)
		}
		if got := s.Read(t, ref); !patch.Same(got, model) {
			return fmt.Sprintf("move %d: the document is %s, want %s", i, show(got), show(model))
		}
	}
	return ""
}

// deletable says whether what the document belongs to can be without it.
func deletable(ref snapshot.Ref) bool { return ref.Kind == snapshot.RolePolicy || ref.Kind.OfBucket() }

func (s Subject) put(t *testing.T, e patch.Edit) error { return s.Store.Put(t.Context(), s.By, e) }

func (s Subject) must(t *testing.T, e patch.Edit) {
	t.Helper()
	if err := s.put(t, e); err != nil {
		t.Fatal(err)
	}
}

// refused wants that the edit is refused for what it is, and that nothing is written.
func (s Subject) refused(t *testing.T, e patch.Edit, live value) {
	t.Helper()
	if err := s.put(t, e); err == nil || errors.Is(err, snapshot.ErrDrift) {
		t.Errorf("got %v, want a refusal", err)
	}
	s.want(t, e.Document, live)
}

func (s Subject) want(t *testing.T, ref snapshot.Ref, want value) value {
	t.Helper()
	got := s.Read(t, ref)
	if !patch.Same(got, want) {
		t.Fatalf("the document is %s, want %s", show(got), show(want))
	}
	return got
}

// set makes a document what a test wants it to be, and looks whether it is.
func (s Subject) set(t *testing.T, ref snapshot.Ref, d value) {
	t.Helper()
	s.Set(t, ref, d)
	s.want(t, ref, d)
}

// start sets the document of others that most tests begin with.
func (s Subject) start(t *testing.T, ref snapshot.Ref) value {
	t.Helper()
	d := snapshot.Of(s.foreign(t, ref))
	s.set(t, ref, d)
	return d
}

// foreign is a document as others write them: one value here a string and there a list, members in another order than ours,
// statements without a Sid, no version, escaped characters.
func (s Subject) foreign(t *testing.T, ref snapshot.Ref) policy.Document {
	t.Helper()
	var text string
	switch {
	case ref.Kind == snapshot.RolePolicy:
		text = `{"Statement": [
			{"Resource": ["arn:aws:s3:::example-source"], "Action": "s3:GetReplicationConfiguration", "Effect": "Allow"},
			{"Sid": "Foreign", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::example-source",
			 "Condition": {"StringLike": {"s3:prefix": ["a/*", "b\"c+d e%20\u00e4/*"]}}}
		], "Version": "2012-10-17"}`
	case ref.Kind == snapshot.RoleTrust:
		text = `{"Version": "2012-10-17", "Statement": [
			{"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": ["batchoperations.s3.amazonaws.com"]}},
			{"Sid": "Operator", "Effect": "Allow", "Principal": {"AWS": "` + s.Role + `"}, "Action": "sts:AssumeRole"}
		]}`
	case ref.Kind.OfKey():
		text = `{"Version": "2012-10-17", "Id": "key-consolepolicy-3", "Statement": [
			{"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::` + s.Account + `:root"]},
			 "Action": "kms:*", "Resource": "*"},
			{"Principal": {"AWS": "*"}, "Effect": "Deny", "Resource": ["*"], "Action": ["kms:Decrypt", "kms:Encrypt"],
			 "Condition": {"Bool": {"aws:SecureTransport": false}}}
		]}`
	default:
		text = `{"Id": "example", "Statement": {
			"Effect": "Deny", "Principal": "*", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::` + ref.ID + `/*", "arn:aws:s3:::` + ref.ID + `"],
			"Condition": {"Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:TlsVersion": [1.2]}}
		}}`
	}
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// added is the document with one more statement of ours.
func (s Subject) added(t *testing.T, ref snapshot.Ref, d value, sid string) value {
	t.Helper()
	return snapshot.Of(d.V.Append(build(t, s.spec(ref, sid))))
}

func (s Subject) spec(ref snapshot.Ref, sid string) policy.StatementSpec {
	spec := policy.StatementSpec{Sid: "Replimend" + sid, Effect: policy.Allow}
	role := []policy.Principal{{Kind: policy.PrincipalAWS, Value: s.Role}}
	switch {
	case ref.Kind == snapshot.RolePolicy:
		spec.Actions, spec.Resources = []string{"s3:ReplicateObject", "s3:ReplicateDelete"}, []string{"arn:aws:s3:::example-destination/*"}
	case ref.Kind == snapshot.RoleTrust:
		spec.Actions = []string{"sts:AssumeRole"}
		spec.Principals = []policy.Principal{{Kind: policy.PrincipalService, Value: "s3.amazonaws.com"}}
	case ref.Kind.OfKey():
		spec.Actions, spec.Resources, spec.Principals = []string{"kms:Decrypt"}, []string{"*"}, role
	default:
		spec.Actions, spec.Resources, spec.Principals = []string{"s3:ReplicateObject"}, []string{"arn:aws:s3:::" + ref.ID + "/*"}, role
	}
	return spec
}

func build(t *testing.T, spec policy.StatementSpec) policy.Statement {
	t.Helper()
	s, err := spec.Build()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func show(d value) string {
	switch d.State {
	case snapshot.Present:
		return d.V.Indent()
	case snapshot.Absent:
		return "absent"
	default:
		return "missing"
	}
}
