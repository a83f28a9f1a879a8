package snapshot_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
	"pgregory.net/rapid"
)

func TestIndentGivesBackTheFile(t *testing.T) {
	t.Parallel()
	text := full(t)
	for range 20 { // maps come in another order each time
		if d := cmp.Diff(text, mustParse(t, text).Indent()); d != "" {
			t.Fatalf("(-read +printed):\n%s", d)
		}
	}
}

// TestMarshalJSONIsIndentWithoutSpace also holds for the standard encoder around it.
func TestMarshalJSONIsIndentWithoutSpace(t *testing.T) {
	t.Parallel()
	s := mustParse(t, full(t))
	text, err := json.Marshal(map[string]any{"snapshot": s})
	if err != nil {
		t.Fatal(err)
	}
	text = text[len(`{"snapshot":`) : len(text)-1]
	if d := diff(s, mustParse(t, string(text))); d != "" || strings.Contains(string(text), "\n") {
		t.Errorf("(-read +marshalled and read):\n%s", d)
	}
}

// TestPrintKeepsStates is about snapshots that code has made.
func TestPrintKeepsStates(t *testing.T) {
	t.Parallel()
	key := policy.ARN{Partition: "aws", Service: "kms", Region: "us-east-1", Account: "111122223333", Resource: "key/k"}
	role := policy.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "role/r"}
	prefix := ""
	tests := map[string]*snapshot.Snapshot{
		"zero": {},
		"present, but nil": {
			Keys: map[policy.ARN]snapshot.Value[snapshot.Key]{key: snapshot.Of(snapshot.Key{
				Grants: snapshot.Of[[]snapshot.Grant](nil), Aliases: snapshot.Of[[]string](nil), Tags: snapshot.Of[map[string]string](nil),
			})},
			Guardrails: map[string]snapshot.Guardrails{"111122223333": {SCPs: snapshot.Of([][]policy.Document{nil, {}})}},
		},
		"absent": {
			Buckets: map[string]snapshot.Value[snapshot.Bucket]{"b": snapshot.None[snapshot.Bucket]()},
			Roles: map[policy.ARN]snapshot.Value[snapshot.Role]{role: snapshot.Of(snapshot.Role{
				Boundary: snapshot.None[snapshot.Boundary](), Inline: snapshot.Of(map[string]policy.Document{"p": policy.New()}),
			})},
		},
		"missing": {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"b": snapshot.Of(snapshot.Bucket{})}},
		"empty prefix": {Buckets: map[string]snapshot.Value[snapshot.Bucket]{"b": snapshot.Of(snapshot.Bucket{
			Replication: snapshot.Of(snapshot.Replication{Rules: []snapshot.Rule{{Status: "Enabled", Filter: &snapshot.Filter{Prefix: &prefix}}}}),
		})}},
		"characters": {Unreadable: map[string]string{"\u2028<&>\"\\": "\x00\n\u00e9"}},
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := mustParse(t, s.Indent())
			if d := diff(s, again); d != "" {
				t.Errorf("(-made +printed and read):\n%s\n%s", d, s.Indent())
			}
		})
	}
}

// checkPrint holds Parse and Indent against each other: what is read prints as a text that reads the same and prints the same.
// It also holds the printed text against the one that was read: printing may leave members out, but makes none up. It says
// whether the text was read at all.
func checkPrint(t rapid.TB, data string) bool {
	t.Helper()
	s, err := snapshot.Parse([]byte(data))
	if err != nil {
		if s != nil {
			t.Fatal("an error came with a snapshot")
		}
		return false
	}
	text := s.Indent()
	again, err := snapshot.Parse([]byte(text))
	if err != nil {
		t.Fatalf("what is printed is refused: %v\n%s", err, text)
	}
	if !same(s, again) {
		t.Fatalf("(-read +printed and read):\n%s", diff(s, again))
	}
	if got := again.Indent(); got != text {
		t.Fatalf("printed again it is different:\n%s\n%s", text, got)
	}
	if !wrapped.MatchString(data) {
		madeUp(t, tree(t, data), tree(t, text), "")
	}
	return true
}

// wrapped is the members that may be left out around what is printed, escapes in names included.
var wrapped = regexp.MustCompile(`"(Policy|PolicyDocument|Grants|\w+Configuration)"|\\u`)

// FuzzParse is checkPrint on bytes. Its seeds are short, because the fuzzer minimises what it finds in the square of its length.
func FuzzParse(f *testing.F) {
	for _, members := range []string{
		`"takenAt":"2026-11-22T00:00:00Z","organization":{"id":"o-1","accounts":["111122223333"]}`,
		`"buckets":{"b":null,"a":{"versioning":"Enabled","policy":null,"tags":{"k":"v"},"publicAccessBlock":{"x":[1.50]}}}`,
		`"buckets":{"b":{"policy":"{\"Statement\":[]}","replication":{"ReplicationConfiguration":{"Role":"","Rules":[]}}}}`,
		`"buckets":{"b":{"replication":{"Role":"","Rules":[{"Status":"Enabled","Filter":{"And":{}},"Destination":{"Bucket":""}}]}}}`,
		`"buckets":{"b":{"encryption":{"Rules":[{"BlockedEncryptionTypes":{"EncryptionType":["NONE"]}}]}}}`,
		`"roles":{"arn:aws:iam::111122223333:role/r":{"inline":{"p":{"Statement":[]}},"boundary":null}}`,
		`"keys":{"arn:aws:kms:r:111122223333:key/k":{"multiRegion":true,"grants":[{"Constraints":{"SourceArn":"a"}}]}}`,
		`"objects":[{"key":"k","encryption":null,"replicationStatus":"FAILED","size":1,"bucketKey":true}]`,
		`"guardrails":{"111122223333":{"scps":[[{"Statement":[]}],[]]},"444455556666":null}`,
		`"buckets":{"a":{},"a.policy":{}},"unreadable":{"buckets.a.policy":"AccessDenied"}`,
	} {
		f.Add([]byte(`{"schema":"replimend/snapshot/v1",` + members + `}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkPrint(t, string(data)) })
}

// TestEditedSnapshotsPrintBack is checkPrint on snapshots of which some values were taken away, moved or made null.
func TestEditedSnapshotsPrintBack(t *testing.T) {
	t.Parallel()
	root := tree(t, full(t))
	tried, read := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		edited := root
		for range rapid.IntRange(1, 6).Draw(t, "edits") {
			all := places(edited, "", func(n jsontree.Node) jsontree.Node { return n })
			at := all[rapid.IntRange(1, len(all)-1).Draw(t, "at")]
			value := all[rapid.IntRange(0, len(all)-1).Draw(t, "other")].value
			switch rapid.IntRange(0, 4).Draw(t, "edit") {
			case 0, 1:
				if strings.HasSuffix(at.path, "]") {
					continue // a list without an element is another list
				}
				value = jsontree.Node{}
			case 2, 3:
				value = jsontree.Node{Kind: jsontree.Null}
			}
			edited = at.set(value)
		}
		tried++
		if checkPrint(t, edited.Indent()) {
			read++
		}
	})
	if read*5 < tried {
		t.Errorf("%d of %d edited snapshots were read: the test looks at too little", read, tried)
	}
}

// madeUp fails on what out has and in has not. Numbers and booleans that are not given are printed as zero and false, an
// account without guardrails as one without its two members, and a policy may have been a text.
func madeUp(t rapid.TB, in, out jsontree.Node, path string) {
	t.Helper()
	switch {
	case jsontree.Equal(in, out), in.Kind == jsontree.String && out.Kind == jsontree.Object:
		return
	case (!in.Present() || in.Kind == jsontree.Null) && (out.Kind == jsontree.Number && out.Text == "0" || out.Kind == jsontree.Bool && !out.Bool):
		return
	case in.Kind == jsontree.Null && strings.HasPrefix(path, "guardrails."):
		return
	case in.Kind == jsontree.Object && out.Kind == jsontree.Object:
		for _, f := range out.Fields {
			madeUp(t, in.Get(f.Name), f.Value, jsontree.Join(path, f.Name))
		}
	case in.Kind == jsontree.Array && out.Kind == jsontree.Array && len(in.Items) == len(out.Items):
		for i, item := range out.Items {
			madeUp(t, in.Items[i], item, jsontree.Index(path, i))
		}
	case in.Kind == jsontree.Number && out.Kind == jsontree.Number && strings.TrimLeft(in.Text, "-") == out.Text && out.Text == "0":
	default:
		a, _ := in.MarshalJSON()
		b, _ := out.MarshalJSON()
		t.Fatalf("%s was %s and is printed as %s", path, a, b)
	}
}
