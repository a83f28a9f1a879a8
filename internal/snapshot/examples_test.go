package snapshot_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/snapshot"
	"pgregory.net/rapid"
)

const examplesDir = "../../docs/examples/"

// examples are the snapshots that people try first.
func examples(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(examplesDir + "*.json")
	if err != nil || len(names) < 8 {
		t.Fatalf("examples %v, error %v", names, err)
	}
	out := make(map[string][]byte)
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = data
	}
	return out
}

// TestExamplesAreAsPrinted shows that they are read whole: a member that is not known would not come back.
func TestExamplesAreAsPrinted(t *testing.T) {
	t.Parallel()
	for name, data := range examples(t) {
		s, err := snapshot.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := s.Indent() + "\n"
		if !strings.Contains(strings.TrimSpace(string(data)), "\n") { // a large one, on one line
			line, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			want = string(line) + "\n"
		}
		if d := cmp.Diff(string(data), want); d != "" {
			t.Errorf("%s (-file +printed):\n%s", name, d)
		}
	}
}

// TestExamplesAreListed holds the page that people read against the folder.
func TestExamplesAreListed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(examplesDir + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	exitCodes := map[string]string{"healthy": "0", "degraded": "0", "broken": "1", "conditional": "3", "unknown": "3"}
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^\| \[([^]]+)\]\(([^)]+)\) \| [^|]+\.(?: \| (\w+) \| (\d))? \|$`).FindAllStringSubmatch(string(page), -1) {
		name, target, verdict, code := m[1], m[2], m[3], m[4]
		listed = append(listed, name)
		if name != target {
			t.Errorf("%s links to %s", name, target)
		}
		if isEvent := strings.HasPrefix(name, "events/"); isEvent != (verdict == "") || !isEvent && code != exitCodes[verdict] {
			t.Errorf("%s: verdict %q with exit code %q", name, verdict, code)
		}
	}
	var want []string
	for name := range examples(t) {
		want = append(want, name)
	}
	events, err := filepath.Glob(examplesDir + "events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range events {
		want = append(want, "events/"+filepath.Base(name))
	}
	slices.Sort(listed)
	slices.Sort(want)
	if d := cmp.Diff(want, listed); d != "" {
		t.Errorf("(-files +listed):\n%s", d)
	}
}

// TestExampleEventsCarryOneRecord opens the envelopes by hand: all hold S3's record as s3.json has it.
func TestExampleEventsCarryOneRecord(t *testing.T) {
	t.Parallel()
	read := func(name string) jsontree.Node {
		data, err := os.ReadFile(examplesDir + "events/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return tree(t, string(data))
	}
	body := func(n jsontree.Node) jsontree.Node { return tree(t, n.Get("Records").Items[0].Get("body").Text) }
	message := func(n jsontree.Node) jsontree.Node { return tree(t, n.Get("Message").Text) }
	plain := read("s3.json")
	for name, n := range map[string]jsontree.Node{
		"sns.json": message(read("sns.json")), "sqs.json": body(read("sqs.json")), "sns-in-sqs.json": message(body(read("sns-in-sqs.json"))),
	} {
		if !jsontree.Equal(plain, n) {
			t.Errorf("%s carries another record:\n%s", name, n.Indent())
		}
	}
	// The record belongs to its snapshot.
	s := mustParse(t, string(examples(t)["role-lacks-decrypt.json"]))
	record := plain.Get("Records").Items[0]
	bucket := s.Buckets[record.Get("s3").Get("bucket").Get("name").Text].V
	rule := bucket.Replication.V.Rules[0]
	if data := record.Get("replicationEventData"); rule.ID != data.Get("replicationRuleId").Text || rule.Destination.Bucket != data.Get("destinationBucket").Text {
		t.Errorf("the record is of no rule of its snapshot: %s", data.Indent())
	}
	if object := record.Get("s3").Get("object"); s.Objects[0].Key != object.Get("key").Text || s.Objects[0].VersionID != object.Get("versionId").Text {
		t.Errorf("the record is of no object of its snapshot: %s", object.Indent())
	}
}

func tree(t rapid.TB, text string) jsontree.Node {
	t.Helper()
	n, err := jsontree.Parse([]byte(text), snapshot.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
