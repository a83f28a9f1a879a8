package patch_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

const (
	roleARN = "arn:aws:iam::111122223333:role/service-role/replication"
	before  = `{"Version":"2012-10-17","Statement":{"Sid":"Old","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::src"}}`
)

func document(t *testing.T, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// world is a role with one inline policy and a bucket without a policy.
func world(t *testing.T) *snapshot.Snapshot {
	t.Helper()
	role, err := policy.ParseARN(roleARN)
	if err != nil {
		t.Fatal(err)
	}
	return &snapshot.Snapshot{
		Buckets: map[string]snapshot.Value[snapshot.Bucket]{"dst": snapshot.Of(snapshot.Bucket{Policy: snapshot.None[policy.Document]()})},
		Roles: map[policy.ARN]snapshot.Value[snapshot.Role]{role: snapshot.Of(snapshot.Role{
			Inline: snapshot.Of(map[string]policy.Document{"replication": document(t, before)}),
		})},
	}
}

func added(t *testing.T) policy.Statement {
	t.Helper()
	s, err := policy.StatementSpec{Sid: "ReplimendDecrypt", Effect: policy.Allow, Actions: []string{"kms:Decrypt"}, Resources: []string{"*"}}.Build()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// twoEdits changes a document that is there and makes one that is not.
func twoEdits(t *testing.T) patch.Plan {
	t.Helper()
	old := document(t, before)
	return patch.Plan{Class: patch.Automatic, Edits: []patch.Edit{
		{
			Document: snapshot.Ref{Kind: snapshot.RolePolicy, ID: roleARN, Name: "replication"},
			Before:   snapshot.Of(old), After: snapshot.Of(old.Append(added(t))),
			Adds: []patch.Tuple{{roleARN, "kms:Decrypt", "*"}},
		},
		{
			Document: snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: "dst"},
			Before:   snapshot.None[policy.Document](), After: snapshot.Of(policy.New(added(t))),
		},
	}}
}

func TestInvertRestoresWhatWasThere(t *testing.T) {
	t.Parallel()
	s, p := world(t), twoEdits(t)
	patched, err := p.Apply(s)
	if err != nil {
		t.Fatal(err)
	}
	if d := patched.Document(p.Edits[1].Document); d.State != snapshot.Present {
		t.Fatalf("the bucket policy was not made: %v", d.State)
	}
	back, err := p.Invert().Apply(patched)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Edits {
		if !patch.Same(back.Document(e.Document), e.Before) {
			t.Errorf("%s is not as it was", e.Document)
		}
	}
	if d := back.Document(p.Edits[1].Document); d.State != snapshot.Absent {
		t.Errorf("a policy that did not exist is left behind: %v", d.State)
	}
	if d := s.Document(p.Edits[0].Document); !d.V.Equal(document(t, before)) {
		t.Error("applying changed the snapshot it was given")
	}
}

func TestApplyTwiceIsApplyOnce(t *testing.T) {
	t.Parallel()
	p := twoEdits(t)
	once, err := p.Apply(world(t))
	if err != nil {
		t.Fatal(err)
	}
	twice, err := p.Apply(once)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Edits {
		if !patch.Same(once.Document(e.Document), twice.Document(e.Document)) {
			t.Errorf("%s differs after the second time", e.Document)
		}
	}
}

func TestApplyRefusesDrift(t *testing.T) {
	t.Parallel()
	p := twoEdits(t)
	changed, ok := world(t).WithDocument(p.Edits[0].Document, snapshot.Of(document(t, strings.Replace(before, "Old", "Other", 1))))
	if !ok {
		t.Fatal("the role is not there")
	}
	if _, err := p.Apply(changed); !errors.Is(err, snapshot.ErrDrift) {
		t.Errorf("err = %v, want ErrDrift", err)
	}
	unread := world(t)
	unread.Buckets["dst"] = snapshot.Of(snapshot.Bucket{}) // the policy is missing, which is not the same as absent
	if _, err := p.Apply(unread); !errors.Is(err, snapshot.ErrDrift) {
		t.Errorf("err = %v, want ErrDrift for a document that was not read", err)
	}
}

// TestHashIsOfWhatStandsThere: a plan that writes the same over another document is another plan, so that nobody's approval of the one
// carries out the other.
func TestHashIsOfWhatStandsThere(t *testing.T) {
	t.Parallel()
	whole := twoEdits(t)
	for n := range whole.Edits {
		other := twoEdits(t)
		other.Edits[n].Before = snapshot.None[policy.Document]()
		if whole.Edits[n].Before.State == snapshot.Absent {
			other.Edits[n].Before = whole.Edits[n].After
		}
		if other.Hash() == whole.Hash() {
			t.Errorf("edit %d over another document has the same hash", n)
		}
	}
}

func TestHashTellsPlansApart(t *testing.T) {
	t.Parallel()
	p := twoEdits(t)
	if p.Hash() != twoEdits(t).Hash() {
		t.Error("equal plans have different hashes")
	}
	if p.Hash() == p.Invert().Hash() {
		t.Error("a plan and its inverse have the same hash")
	}
	p.Edits = p.Edits[:1]
	if p.Hash() == twoEdits(t).Hash() {
		t.Error("dropping an edit keeps the hash")
	}
}

func TestDiffShowsOnlyWhatIsAdded(t *testing.T) {
	t.Parallel()
	p := twoEdits(t)
	diff := p.Edits[1].Diff()
	if !strings.HasPrefix(diff, "--- /dev/null\n+++ destination-bucket-policy dst\n") {
		t.Errorf("a new document is not shown as one:\n%s", diff)
	}
	if diff := p.Edits[0].Diff(); !strings.Contains(diff, `+      "Sid": "ReplimendDecrypt",`) {
		t.Errorf("the added statement is not shown:\n%s", diff)
	}
}

func TestEditPrintsAbsentDocumentsAsNull(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(twoEdits(t).Edits[1])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if string(got["before"]) != "null" || string(got["adds"]) != "[]" {
		t.Errorf("before = %s, adds = %s; want null and []", got["before"], got["adds"])
	}
}

func TestStricterClassWins(t *testing.T) {
	t.Parallel()
	order := []patch.Class{patch.None, patch.Automatic, patch.Approval, patch.Manual}
	for i, a := range order {
		for k, b := range order {
			if got := patch.Stricter(a, b); got != order[max(i, k)] {
				t.Errorf("Stricter(%s, %s) = %s", a, b, got)
			}
		}
	}
}
