package patch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// refs is documents of which some are one: a bucket is a source and a destination, a key encrypts sources and replicas.
var refs = []snapshot.Ref{
	{Kind: snapshot.RolePolicy, ID: roleARN, Name: "Replimend"},
	{Kind: snapshot.RoleTrust, ID: roleARN},
	{Kind: snapshot.SourceBucketPolicy, ID: "b"},
	{Kind: snapshot.DestinationBucketPolicy, ID: "b"},
	{Kind: snapshot.SourceKeyPolicy, ID: "k"},
	{Kind: snapshot.ReplicaKeyPolicy, ID: "k"},
}

// documentOf is the place of the document in refs that is the same as the one at i.
func documentOf(i int) int {
	if i >= 2 {
		return i / 2 * 2
	}
	return i
}

func appended(t rapid.TB, before snapshot.Value[policy.Document], numbers []int) snapshot.Value[policy.Document] {
	after := before.V
	for _, n := range numbers {
		s, err := policy.StatementSpec{Sid: fmt.Sprintf("S%d", n), Effect: policy.Allow, Actions: []string{fmt.Sprintf("s3:Get%d", n)}}.Build()
		if err != nil {
			t.Fatal(err)
		}
		after = after.Append(s)
	}
	return snapshot.Of(after)
}

// TestMergeKeepsTheOrderOfWrites: what the second route opens is written before the role's policy of the first one, as in a plan
// of one route, and the trust of the role comes last.
func TestMergeKeepsTheOrderOfWrites(t *testing.T) {
	t.Parallel()
	adding := func(refs ...snapshot.Ref) patch.Plan {
		var p patch.Plan
		for i, ref := range refs {
			p.Edits = append(p.Edits, patch.Edit{Document: ref, Before: snapshot.None[policy.Document](), After: appended(t, snapshot.None[policy.Document](), []int{i})})
		}
		return p
	}
	role, trust, bucket, key := refs[0], refs[1], refs[3], refs[5]
	merged, err := patch.Merge(adding(trust), adding(bucket, role), adding(key))
	if err != nil {
		t.Fatal(err)
	}
	var got []snapshot.Ref
	for _, e := range merged {
		got = append(got, e.Document)
	}
	if want := []snapshot.Ref{key, bucket, role, trust}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// TestMergeHoldsWhatEachPlanAdds is about plans that were made from one snapshot.
func TestMergeHoldsWhatEachPlanAdds(t *testing.T) {
	t.Parallel()
	old, err := policy.Parse([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		befores := make([]snapshot.Value[policy.Document], len(refs))
		for i := range refs {
			if befores[i] = befores[documentOf(i)]; documentOf(i) == i {
				befores[i] = rapid.SampledFrom([]snapshot.Value[policy.Document]{snapshot.None[policy.Document](), snapshot.Of(old)}).Draw(t, "before")
			}
		}
		want := map[int][]string{} // the Sids that plans add, by document
		var plans []patch.Plan
		for range rapid.IntRange(0, 4).Draw(t, "plans") {
			var p patch.Plan
			for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(refs)-1), 0, 4, documentOf).Draw(t, "edits") {
				numbers := rapid.SliceOfNDistinct(rapid.IntRange(1, 5), 1, 4, rapid.ID).Draw(t, "statements")
				for _, n := range numbers {
					if sid := fmt.Sprintf("S%d", n); !slices.Contains(want[documentOf(i)], sid) {
						want[documentOf(i)] = append(want[documentOf(i)], sid)
					}
				}
				p.Edits = append(p.Edits, patch.Edit{
					Document: refs[i], Before: befores[i], After: appended(t, befores[i], numbers), Account: "111122223333",
					Adds: []patch.Tuple{{"p", fmt.Sprint(numbers), "r"}}, Cures: []string{fmt.Sprint(numbers)},
					Class: rapid.SampledFrom([]patch.Class{patch.Automatic, patch.Approval}).Draw(t, "class"),
				})
			}
			plans = append(plans, p)
		}
		merged, err := patch.Merge(plans...)
		if err != nil {
			t.Fatal(err)
		}
		if len(merged) != len(want) {
			t.Fatalf("%d edits of %d documents", len(merged), len(want))
		}
		for _, e := range merged {
			i := documentOf(slices.Index(refs, e.Document))
			if !patch.Same(e.Before, befores[i]) {
				t.Fatalf("%s starts from another document", e.Document)
			}
			sids := make([]string, 0, len(want[i])+1)
			for _, s := range e.After.V.Statements {
				sids = append(sids, s.Sid)
			}
			if expected := append(sidsOf(befores[i]), want[i]...); !slices.Equal(sids, expected) {
				t.Fatalf("%s has %v, want %v", e.Document, sids, expected)
			}
			checkParts(t, e, plans)
		}
	})
}

func sidsOf(v snapshot.Value[policy.Document]) []string {
	var out []string
	for _, s := range v.V.Statements {
		out = append(out, s.Sid)
	}
	return out
}

// checkParts wants the merged edit to say what each of its parts says.
func checkParts(t *rapid.T, merged patch.Edit, plans []patch.Plan) {
	class := patch.None
	for _, p := range plans {
		for _, e := range p.Edits {
			if documentOf(slices.Index(refs, e.Document)) != documentOf(slices.Index(refs, merged.Document)) {
				continue
			}
			class = patch.Stricter(class, e.Class)
			if !slices.Contains(merged.Adds, e.Adds[0]) || !slices.Contains(merged.Cures, e.Cures[0]) {
				t.Fatalf("%s does not say what one of its parts adds or cures", merged.Document)
			}
		}
	}
	if merged.Class != class {
		t.Fatalf("class %s, want %s", merged.Class, class)
	}
}

func TestMergeLeavesThePlansAsTheyAre(t *testing.T) {
	t.Parallel()
	a, b := twoEdits(t), twoEdits(t)
	b.Edits[0].Adds = []patch.Tuple{{"other", "kms:Decrypt", "*"}}
	a.Edits[0].Adds = slices.Grow(a.Edits[0].Adds, 4) // so that appending in place would be seen
	before := a.Hash() + b.Hash()
	merged, err := patch.Merge(a, b)
	i := slices.IndexFunc(merged, func(e patch.Edit) bool { return e.Document == a.Edits[0].Document })
	if err != nil || len(merged) != 2 || len(merged[i].Adds) != 2 {
		t.Fatalf("%d edits, err = %v", len(merged), err)
	}
	if spare := a.Edits[0].Adds[:2]; a.Hash()+b.Hash() != before || spare[1] != (patch.Tuple{}) {
		t.Error("merging changed a plan")
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	other := document(t, strings.Replace(before, "Old", "Other", 1))
	tests := map[string]struct {
		change func(e *patch.Edit)
		want   string
	}{
		"different documents": {func(e *patch.Edit) {
			e.Before, e.After = snapshot.Of(other), snapshot.Of(other.Append(added(t)))
		}, "start from different documents"},
		"absent and present": {func(e *patch.Edit) {
			e.Before, e.After = snapshot.None[policy.Document](), snapshot.Of(policy.New(added(t)))
		}, "start from different documents"},
		"another owner":         {func(e *patch.Edit) { e.Account = "444455556666" }, `they name the owners "" and "444455556666"`},
		"a removal":             {func(e *patch.Edit) { e.After = snapshot.None[policy.Document]() }, "more than add statements"},
		"an unread document":    {func(e *patch.Edit) { e.Before = snapshot.Value[policy.Document]{} }, "more than add statements"},
		"a changed statement":   {func(e *patch.Edit) { e.After = snapshot.Of(other.Append(added(t))) }, "more than add statements"},
		"a changed version":     {func(e *patch.Edit) { e.After = snapshot.Of(document(t, strings.Replace(before, "2012", "2008", 1))) }, "more than add statements"},
		"a statement taken out": {func(e *patch.Edit) { e.After = snapshot.Of(policy.New()) }, "more than add statements"},
		"one Sid for two statements": {func(e *patch.Edit) {
			s, err := policy.StatementSpec{Sid: "ReplimendDecrypt", Effect: policy.Allow, Actions: []string{"kms:Encrypt"}, Resources: []string{"*"}}.Build()
			if err != nil {
				t.Fatal(err)
			}
			e.After = snapshot.Of(e.Before.V.Append(s))
		}, `different statements under the Sid "ReplimendDecrypt"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := twoEdits(t)
			test.change(&changed.Edits[0])
			merged, err := patch.Merge(twoEdits(t), changed)
			if err == nil || !strings.Contains(err.Error(), test.want) || merged != nil {
				t.Errorf("%d edits, err = %v, want %q", len(merged), err, test.want)
			}
		})
	}
}
