package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// cure is one permission that is missing and the document that is to get it.
type cure struct {
	tuple      patch.Tuple
	conditions []policy.Condition
	document   snapshot.Ref
	class      patch.Class
	cause      string
}

// cures is every permission that the findings ask for, each in the document that is at fault.
func (e *examination) cures() []cure {
	var out []cure
	for i := range e.findings {
		f := &e.findings[i]
		if !cures(*f) {
			continue
		}
		for _, t := range f.Grants {
			out = append(out, cure{tuple: t, conditions: f.Conditions, document: editable(f.Document), class: f.Remedy, cause: f.Cause})
		}
	}
	return out
}

// way is one set of documents that together hold every cure.
type way struct {
	cures     []cure
	documents []snapshot.Ref // in the order in which they are written
	cost      patch.Cost

	unwritable snapshot.Ref // the document that AWS would not store, and why; set by prove
	fault      string
}

// ways is the cheapest way first; among equals the one whose documents are at fault.
//
// Inside one account a permission of the role can stand in the role's policies or in the policy of what it is for, across
// accounts it must stand in both. So the ways differ in which of the role's permissions move over.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (e *examination) ways(first []cure) []way {
	out := []way{e.way(first)}
	var tried []snapshot.Ref
	all := slices.Clone(first)
	for i, c := range first {
		ref, ok := e.elsewhere(c)
		if !ok {
			continue
		}
		all[i].document, all[i].class = ref, patch.Stricter(c.class, patch.Approval)
		if !slices.Contains(tried, ref) {
			tried = append(tried, ref)
			out = append(out, e.way(e.moved(first, ref)))
		}
	}
	if len(tried) > 1 {
		out = append(out, e.way(all))
	}
	slices.SortStableFunc(out, func(a, b way) int { return a.cost.Compare(b.cost) })
	return out
}

// moved is the cures with everything that can stand in that document standing there.
func (e *examination) moved(cures []cure, to snapshot.Ref) []cure {
	out := slices.Clone(cures)
	for i := range out {
		if ref, ok := e.elsewhere(out[i]); ok && ref == to {
			out[i].document, out[i].class = to, patch.Stricter(out[i].class, patch.Approval) // it was not the document at fault
		}
	}
	return out
}

func (e *examination) way(cures []cure) way {
	w := way{cures: cures}
	accounts := []string{e.subject.principal.Account}
	for i, c := range cures {
		if !slices.ContainsFunc(cures[:i], func(o cure) bool { return o.tuple == c.tuple && sameDocument(o.document, c.document) }) {
			w.cost.Adds++
		}
		if slices.ContainsFunc(w.documents, func(o snapshot.Ref) bool { return sameDocument(o, c.document) }) {
			continue
		}
		w.documents = append(w.documents, c.document)
		if !identity(c.document.Kind) {
			w.cost.Shared++
		}
		if owner := e.owner(c.document); !slices.Contains(accounts, owner) {
			accounts = append(accounts, owner)
		}
	}
	w.cost.Documents, w.cost.Accounts = len(w.documents), len(accounts)-1
	slices.SortStableFunc(w.documents, func(a, b snapshot.Ref) int { return patch.Rank(a.Kind) - patch.Rank(b.Kind) })
	return w
}

// elsewhere is the other document that could give the principal that permission: the policy of what it is for, when that belongs
// to the principal's account.
func (e *examination) elsewhere(c cure) (snapshot.Ref, bool) {
	resource, err := policy.ParseARN(c.tuple[2])
	if !identity(c.document.Kind) || err != nil {
		return snapshot.Ref{}, false
	}
	if k, ok := e.w.Snapshot.Keys[resource].Get(); ok && k.Manager == "AWS" {
		return snapshot.Ref{}, false // its policy cannot be changed
	}
	ref := e.policyOf(resource)
	if ref.Kind == snapshot.SourceBucketPolicy {
		return snapshot.Ref{}, false // a statement in it opens the data itself: Replimend never writes it
	}
	return ref, ref.ID != "" && e.owner(ref) == e.subject.principal.Account && e.document(ref).State != snapshot.Missing
}

// policyOf is the policy of a key, or of the bucket of an object, as what asks for it names it.
func (e *examination) policyOf(resource policy.ARN) snapshot.Ref {
	name := func(a policy.ARN) policy.ARN {
		if a.Service == "s3" {
			a.Resource, _, _ = strings.Cut(a.Resource, "/")
		}
		return a
	}
	for i := range e.asked {
		if a := &e.asked[i]; name(a.Request.Resource) == name(resource) {
			return a.Resource
		}
	}
	return snapshot.Ref{}
}

// identity says whether a document is the principal's own.
func identity(k snapshot.Kind) bool { return k == snapshot.RolePolicy || k == snapshot.UserPolicy }

// alternatives is the ways that were not taken, each with the reason. A cheaper one that AWS would store and that still did not
// prove to cure is none.
func (e *examination) alternatives(ways []way, taken int) []patch.Alternative {
	var out []patch.Alternative
	for i := range ways {
		if i > taken || i < taken && ways[i].fault != "" {
			out = append(out, patch.Alternative{Documents: ways[i].documents, Cost: ways[i].cost, Why: whyNot(&ways[i], &ways[taken])})
		}
	}
	return out
}

// whyNot says what speaks against a way and for the one that was taken, the gravest first.
func whyNot(w, chosen *way) string {
	c, o := w.cost, chosen.cost
	switch {
	case w.fault != "":
		return fmt.Sprintf("%s cannot be written: %s", w.unwritable, w.fault)
	case c.Accounts > o.Accounts:
		return fmt.Sprintf("the owners of %d other accounts would have to act, not %d", c.Accounts, o.Accounts)
	case c.Documents > o.Documents:
		return fmt.Sprintf("%d documents would have to be written, not %d", c.Documents, o.Documents)
	case c.Shared > o.Shared:
		return "others' access hangs on a bucket's or key's policy; an inline policy concerns its own principal alone, and deleting it undoes the edit"
	case c.Adds > o.Adds:
		return fmt.Sprintf("%d permissions would be added, not %d", c.Adds, o.Adds)
	default:
		return "it costs as much, and the document that is at fault is the one to mend"
	}
}
