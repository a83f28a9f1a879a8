package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// sized is a document of exactly that many characters.
func sized(t *testing.T, n int) policy.Document {
	t.Helper()
	const frame = `{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`
	d := document(t, strings.Replace(frame, `"Sid":""`, `"Sid":"`+strings.Repeat("A", n-len(frame))+`"`, 1))
	if d.Size() != n {
		t.Fatalf("document has %d characters, want %d", d.Size(), n)
	}
	return d
}

// The last size that AWS stores and the first that it refuses, of every kind.
func TestUnwritableAtTheLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind          snapshot.Kind
		before        int // size of the document before, 0 without one
		others, limit int
	}{
		{snapshot.RolePolicy, 0, 0, 10_240},
		{snapshot.RolePolicy, 0, 9_000, 1_240},
		{snapshot.UserPolicy, 0, 1_000, 1_048},
		{snapshot.BucketPolicy, 0, 0, 20_480},
		{snapshot.KeyPolicy, 0, 0, 32_768},
		{snapshot.RoleTrust, 0, 0, 2_048},
		{snapshot.RoleTrust, 2_048, 0, 2_048},
		{snapshot.RoleTrust, 2_049, 0, 4_096},
		{snapshot.SourceBucketPolicy, 0, 0, 20_480},
		{snapshot.DestinationBucketPolicy, 0, 0, 20_480},
		{snapshot.SourceKeyPolicy, 0, 0, 32_768},
		{snapshot.ReplicaKeyPolicy, 0, 9_000, 32_768},
	} {
		e := patch.Edit{Document: snapshot.Ref{Kind: c.kind, ID: "x"}}
		if c.before > 0 {
			e.Before = snapshot.Of(sized(t, c.before))
		}
		e.After = snapshot.Of(sized(t, c.limit))
		if fault := e.Unwritable(c.others); fault != "" {
			t.Errorf("%s at its limit: %s", c.kind, fault)
		}
		e.After = snapshot.Of(sized(t, c.limit+1))
		if fault := e.Unwritable(c.others); !strings.Contains(fault, fmt.Sprint(c.limit+1+c.others*boolInt(c.kind == snapshot.RolePolicy || c.kind == snapshot.UserPolicy))) {
			t.Errorf("%s beyond its limit: %q", c.kind, fault)
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestUnwritable(t *testing.T) {
	t.Parallel()
	const statement = `{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow",%s"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b/%s*"}]}`
	const stale = `"Principal":{"AWS":["arn:aws:iam::111122223333:root","AROAEXAMPLEREPLICATN"]},`
	for name, c := range map[string]struct {
		kind snapshot.Kind
		text string
		want string // "": AWS takes it
	}{
		"latin letters in a role policy":      {snapshot.RolePolicy, fmt.Sprintf(statement, "", "Größe/ÿ"), ""},
		"japanese letters in a role policy":   {snapshot.RolePolicy, fmt.Sprintf(statement, "", "報告書/"), `'報'`},
		"japanese letters in a bucket policy": {snapshot.DestinationBucketPolicy, fmt.Sprintf(statement, `"Principal":"*",`, "報告書/"), ""},
		"a unique id in a bucket policy":      {snapshot.DestinationBucketPolicy, fmt.Sprintf(statement, stale, ""), "AROAEXAMPLEREPLICATN"},
		"a unique id in a key policy":         {snapshot.SourceKeyPolicy, fmt.Sprintf(statement, stale, ""), "statement S"},
		"a unique id in a trust policy":       {snapshot.RoleTrust, fmt.Sprintf(statement, stale, ""), "AROAEXAMPLEREPLICATN"},
		"a boundary":                          {snapshot.PermissionsBoundary, fmt.Sprintf(statement, "", ""), "no document"},
	} {
		e := patch.Edit{Document: snapshot.Ref{Kind: c.kind, ID: "x"}, After: snapshot.Of(document(t, c.text))}
		if got := e.Unwritable(0); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if got := (patch.Edit{Document: snapshot.Ref{Kind: snapshot.RolePolicy}, After: snapshot.None[policy.Document]()}).Unwritable(99_999); got != "" {
		t.Errorf("deleting a document: %q", got)
	}
}

func TestHalvesKeepTheOrderOfTheEdits(t *testing.T) {
	t.Parallel()
	ref := func(id string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: id} }
	p := patch.Plan{Edits: []patch.Edit{{Document: ref("a"), Account: "2"}, {Document: ref("b"), Account: "1"}, {Document: ref("c"), Account: "2"}}}
	if got := fmt.Sprint(p.Halves()); got != fmt.Sprint([]patch.Half{{Account: "2", Documents: []snapshot.Ref{ref("a"), ref("c")}}, {Account: "1", Documents: []snapshot.Ref{ref("b")}}}) {
		t.Error(got)
	}
}
