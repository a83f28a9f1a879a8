package authz_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"pgregory.net/rapid"
)

// openness orders outcomes: an Allow can only raise it and a Deny only lower it.
func openness(o authz.Outcome) int {
	switch o {
	case authz.Allowed:
		return 2
	case authz.Unknown:
		return 1
	default:
		return 0
	}
}

func TestExplainAgreesWithDecide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, true)
		r, l := w.build(t)
		fast, slow := authz.Decide(r, l), authz.Explain(r, l)
		if fast != slow.Decision {
			t.Fatalf("Decide says %+v, Explain says %+v", fast, slow.Decision)
		}
		if len(slow.Reasons) == 0 && (fast.Outcome != authz.Allowed || r.Principal.Kind != authz.Root) {
			t.Fatalf("%+v has no reason", fast)
		}
	})
}

func TestCompleteWorldIsNeverUnknown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, false)
		if d := w.decide(t); d.Outcome == authz.Unknown {
			t.Fatalf("%+v", d)
		}
	})
}

// TestUnknownNamesWhatSettlesIt: a reader who looks up the keys that a decision hangs on gets a decision.
func TestUnknownNamesWhatSettlesIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, true)
		d := w.decide(t)
		if d.Outcome != authz.Unknown {
			return
		}
		keys, more := d.HangsOn()
		if len(keys) == 0 {
			t.Fatalf("%+v hangs on nothing", d)
		}
		if more || slices.Contains(keys, "policy") || slices.Contains(keys, "notprincipal") {
			return // what settles a policy that was not read, or a rule that AWS leaves open, is no key
		}
		for _, name := range keys {
			if name == "kms:encryptioncontext" && w.open {
				w.closed = append(w.closed, "kms:EncryptionContext:")
				continue
			}
			if !w.unknown(name) {
				t.Fatalf("hangs on %s, which is known", name)
			}
			w.settle(name, drawKeyValues(t)...)
		}
		if after := w.decide(t); after.Outcome == authz.Unknown {
			t.Fatalf("%v are known now, and %+v is left", keys, after)
		}
	})
}

func TestAddingAnAllowNeverCloses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { checkAddition(t, policy.Allow) })
}

func TestAddingADenyNeverOpens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { checkAddition(t, policy.Deny) })
}

// checkAddition adds a statement to a document that takes part already: the first document of a boundary, say, limits
// whatever it holds.
func checkAddition(t *rapid.T, effect policy.Effect) {
	w := drawWorld(t, true)
	before := w.decide(t)
	docs := w.all()
	if len(docs) == 0 {
		return
	}
	to := rapid.SampledFrom(docs).Draw(t, "changed document")
	on := rapid.SampledFrom(targets).Draw(t, "other target")
	at := rapid.IntRange(0, len(to.statements)).Draw(t, "place")
	to.statements = slices.Insert(to.statements, at, drawStatement(t, on, effect, to == w.resource))
	after := w.decide(t)
	if effect == policy.Allow && openness(after.Outcome) < openness(before.Outcome) ||
		effect == policy.Deny && openness(after.Outcome) > openness(before.Outcome) {
		t.Fatalf("one more %s turned %s into %s", effect, before.Outcome, after.Outcome)
	}
}

func TestOrderIsIrrelevant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, true)
		before := w.decide(t)
		for _, d := range w.all() {
			shuffle(t, d.statements)
		}
		for _, docs := range [][]document{w.identity, w.boundary, w.session, w.endpoint} {
			shuffle(t, docs)
		}
		for _, levels := range [][][]document{w.scps, w.rcps} {
			shuffle(t, levels)
			for _, level := range levels {
				shuffle(t, level)
			}
		}
		shuffle(t, w.grants)
		shuffle(t, w.keys)
		after := w.decide(t)
		if after.Outcome != before.Outcome || after.Deciding != before.Deciding {
			t.Fatalf("%+v in one order, %+v in another", before, after)
		}
		a, moreA := before.HangsOn()
		b, moreB := after.HangsOn()
		slices.Sort(a)
		slices.Sort(b)
		if moreA != moreB || !moreA && !cmp.Equal(a, b) {
			t.Fatalf("hangs on %v in one order, on %v in another", a, b)
		}
	})
}

func shuffle[T any](t *rapid.T, s []T) {
	copy(s, rapid.Permutation(s).Draw(t, "order"))
}

// TestLearningAKeyNeverContradicts holds three-valued logic to its promise: what was decided without knowing a key stays
// decided, whatever the key turns out to be.
func TestLearningAKeyNeverContradicts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, true)
		before := w.decide(t)
		if before.Outcome == authz.Unknown {
			return
		}
		for _, name := range append([]string{"kms:EncryptionContext:App", "kms:EncryptionContext:other"}, keyNames...) {
			if w.unknown(name) && rapid.Bool().Draw(t, "learn "+name) {
				w.settle(name, drawKeyValues(t)...)
			}
		}
		if after := w.decide(t); openness(after.Outcome) != openness(before.Outcome) {
			t.Fatalf("%s became %s", before.Outcome, after.Outcome)
		}
	})
}

// TestReadingALayerNeverContradicts is the same for layers that could not be read, or not wholly: what is found when they
// are read adds to what is there.
func TestReadingALayerNeverContradicts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, true)
		w.missing |= authz.SetOf(rapid.SampledFrom(allLayers).Draw(t, "missing layer"))
		before := w.decide(t)
		if before.Outcome == authz.Unknown {
			return
		}
		w.read(t)
		if after := w.decide(t); openness(after.Outcome) != openness(before.Outcome) {
			t.Fatalf("%s became %s", before.Outcome, after.Outcome)
		}
	})
}

// read gives every missing layer some content.
func (w *world) read(t *rapid.T) {
	on := rapid.SampledFrom(targets).Draw(t, "target of what is read")
	documents := func(to *[]document, withPrincipal bool) {
		if more := drawDocuments(t, on, withPrincipal); more != nil {
			*to = append(*to, more...)
			if *to == nil {
				*to = []document{}
			}
		}
	}
	levels := func(to *[][]document) {
		for i := range *to {
			documents(&(*to)[i], false)
		}
		*to = append(*to, drawLevels(t, on)...)
	}
	for _, layer := range allLayers {
		if !w.missing.Has(layer) {
			continue
		}
		switch layer {
		case authz.LayerIdentity:
			documents(&w.identity, false)
		case authz.LayerBoundary:
			documents(&w.boundary, false)
		case authz.LayerSession:
			documents(&w.session, false)
		case authz.LayerEndpoint:
			documents(&w.endpoint, true)
		case authz.LayerSCP:
			levels(&w.scps)
		case authz.LayerRCP:
			levels(&w.rcps)
		case authz.LayerGrant:
			w.grants = append(w.grants, drawGrant(t))
		case authz.LayerResource:
			d := drawDocument(t, on, true)
			if w.resource != nil {
				d.statements = append(d.statements, w.resource.statements...)
				d.version = w.resource.version
			}
			w.resource = &d
		}
	}
	w.missing = 0
}

// TestLackingLayersAreAllThatLacks: when every layer that an implicit denial names allows everything, the request is no
// longer denied.
func TestLackingLayersAreAllThatLacks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, true)
		r, l := w.build(t)
		e := authz.Explain(r, l)
		if e.Decision.Outcome != authz.ImplicitDeny {
			return
		}
		if e.Lacking == 0 {
			t.Fatal("denied although no layer lacks an Allow")
		}
		for _, layer := range allLayers {
			if e.Lacking.Has(layer) {
				w.permit(layer)
			}
		}
		if after := w.decide(t); after.Outcome == authz.ImplicitDeny {
			t.Fatalf("layers %b allow everything now, and %b still lack an Allow", e.Lacking, after.Deciding)
		}
	})
}

// permit makes a layer allow everything.
func (w *world) permit(layer authz.Layer) {
	all, public := permitAll(), permitAll()
	public.statements[0] = public.statements[0].With("Principal", jsontree.Str("*"))
	levels := func(levels [][]document) {
		for i := range levels {
			levels[i] = append(levels[i], all)
		}
	}
	switch layer {
	case authz.LayerIdentity:
		w.identity = append(w.identity, all)
	case authz.LayerBoundary:
		w.boundary = append(w.boundary, all)
	case authz.LayerSession:
		w.session = append(w.session, all)
	case authz.LayerEndpoint:
		w.endpoint = append(w.endpoint, public)
	case authz.LayerResource:
		if w.resource == nil {
			w.resource = &document{version: public.version}
		}
		w.resource.statements = append(w.resource.statements, public.statements...)
	case authz.LayerSCP:
		levels(w.scps)
	case authz.LayerRCP:
		levels(w.rcps)
	case authz.LayerGrant: // a grant is never what lacks: the key policy is
	}
}
