package enroll_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/enroll"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

var update = flag.Bool("update", false, "rewrite the want section of every case; read the difference before you keep it")

// base is a route of which everything is switched on.
func base(t testing.TB) (route.Route, *snapshot.Snapshot, enroll.Live, enroll.Options) {
	t.Helper()
	text, err := os.ReadFile("testdata/base.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsontree.Parse(text, snapshot.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	source := root.Get("buckets").Get("amzn-s3-demo-source")
	on := node(t, `{"Status": "Enabled"}`)
	live := enroll.Live{
		SourceVersioning: present(on), DestinationVersioning: present(on),
		Replication: present(source.Get("replication")), Notification: present(source.Get("notifications")),
	}
	return route.Routes(s)[0], s, live, enroll.Options{
		Target:   arn(t, "arn:aws:sns:us-east-1:111122223333:replication-failures"),
		Accounts: []string{"111122223333", "444455556666"},
	}
}

func present(n jsontree.Node) enroll.Reading { return enroll.Reading{Value: snapshot.Of(n)} }

func node(t testing.TB, text string) jsontree.Node {
	t.Helper()
	n, err := jsontree.Parse([]byte(text), 1<<20)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return n
}

func arn(t testing.TB, text string) policy.ARN {
	t.Helper()
	a, err := policy.ParseARN(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// options is the section options.json of a case.
type options struct {
	Target, ReplicaKey policy.ARN
	Accounts           []string
	Skip               []enroll.Kind
}

// TestCases: each case changes documents of the base and says what is left to do.
func TestCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, s, live, o := base(t)
			want := -1
			for i, f := range a.Files {
				readings := map[string]*enroll.Reading{
					"source-versioning.json": &live.SourceVersioning, "destination-versioning.json": &live.DestinationVersioning,
					"replication.json": &live.Replication, "notifications.json": &live.Notification,
				}
				switch reading := readings[f.Name]; {
				case reading != nil && strings.HasPrefix(string(f.Data), "unreadable: "):
					*reading = enroll.Reading{Why: strings.TrimSpace(strings.TrimPrefix(string(f.Data), "unreadable: "))}
				case reading != nil:
					*reading = present(node(t, string(f.Data)))
				case f.Name == "options.json":
					given := options{Target: o.Target, ReplicaKey: o.ReplicaKey, Accounts: o.Accounts}
					if err := json.Unmarshal(f.Data, &given); err != nil {
						t.Fatal(err)
					}
					o = enroll.Options(given)
				case f.Name == "want":
					want = i
				default:
					t.Fatalf("unknown section %s", f.Name)
				}
			}
			got := show(enroll.New(r, s, live, o))
			if want < 0 {
				t.Fatal("the case has no want section")
			}
			if *update {
				a.Files[want].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[want].Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// show is an enrolment as a case shows it, without what every step says alike.
func show(e enroll.Enrolment) string {
	var b strings.Builder
	for _, s := range e.Steps {
		fmt.Fprintf(&b, "step %s in account %s, %s: %s\n%s", s.Kind, s.Account, s.Region, s.Title, s.Diff())
	}
	for _, r := range e.Refusals {
		fmt.Fprintf(&b, "refusal %s of %s: %s: %s\n%s\n", r.Kind, r.Owner, r.Title, r.Reason, r.Do)
	}
	if b.Len() == 0 {
		return "nothing to do\n"
	}
	return b.String()
}

// TestEveryStepSaysWhatItCosts and names the permissions of whoever makes it.
func TestEveryStepSaysWhatItCosts(t *testing.T) {
	t.Parallel()
	steps := everything(t)
	if len(steps) != 5 {
		t.Fatalf("%d steps, want one of each kind: %v", len(steps), steps)
	}
	needs := map[enroll.Kind]string{
		enroll.SourceVersioning: "s3:PutBucketVersioning", enroll.DestinationVersioning: "s3:PutBucketVersioning",
		enroll.Metrics: "iam:PassRole", enroll.KMSObjects: "iam:PassRole", enroll.FailureNotification: "s3:PutBucketNotification",
	}
	costs := map[enroll.Kind]string{
		enroll.SourceVersioning: "bills", enroll.DestinationVersioning: "bills",
		enroll.Metrics:    "billed as CloudWatch custom metrics",
		enroll.KMSObjects: "will leave account 111122223333", enroll.FailureNotification: "replaces it whole",
	}
	for _, s := range steps {
		if !strings.Contains(s.Note, costs[s.Kind]) {
			t.Errorf("%s: the note does not say %q: %s", s.Kind, costs[s.Kind], s.Note)
		}
		if !strings.Contains(fmt.Sprint(s.Needs), needs[s.Kind]) {
			t.Errorf("%s: needs %v, want %s", s.Kind, s.Needs, needs[s.Kind])
		}
		if !strings.Contains(s.Command(), "--expected-bucket-owner "+s.Account) {
			t.Errorf("%s: the command names no owner: %s", s.Kind, s.Command())
		}
	}
}

// everything is the steps of a route of which nothing is switched on.
func everything(t *testing.T) []enroll.Step {
	t.Helper()
	r, s, live, o := base(t)
	live.SourceVersioning, live.DestinationVersioning = present(jsontree.Obj()), present(node(t, `{"Status": "Suspended"}`))
	live.Notification = present(jsontree.Obj())
	rule := live.Replication.V.Get("Rules").Items[0]
	destination := jsontree.Obj().With("Bucket", rule.Get("Destination").Get("Bucket"))
	rule = rule.With("Destination", destination).With("SourceSelectionCriteria", jsontree.Obj())
	live.Replication = present(live.Replication.V.With("Rules", jsontree.List(rule)))
	o.ReplicaKey = r.ReplicaKey
	return enroll.New(r, s, live, o).Steps
}

// TestStepsOnOneDocumentFollowEachOther: the second change of the replication configuration begins where the first one ends.
func TestStepsOnOneDocumentFollowEachOther(t *testing.T) {
	t.Parallel()
	var before *enroll.Step
	for _, s := range everything(t) {
		if s.Kind.Document() != enroll.Replication {
			continue
		}
		if before != nil && !jsontree.Equal(before.After, s.Before) {
			t.Errorf("%s does not begin where %s ends", s.Kind, before.Kind)
		}
		before = &s
	}
}

// TestRouteIsWhatTheSettingsRead: the entry of an enrolled route is one of replimend.yaml, in mode observe.
func TestRouteIsWhatTheSettingsRead(t *testing.T) {
	t.Parallel()
	r, s, live, o := base(t)
	e := enroll.New(r, s, live, o)
	set, err := settings.Parse([]byte("version: 1\nroutes:\n" + e.Route))
	if err != nil || len(set.Routes) != 1 || set.Routes[0].Mode != settings.Observe || e.Unpinned != "" {
		t.Fatalf("routes %v, %v, unpinned %q\n%s", set, err, e.Unpinned, e.Route)
	}
	s.Roles = nil
	e = enroll.New(route.Routes(s)[0], s, live, o)
	if e.Route != "" || !strings.Contains(e.Unpinned, "unique id") {
		t.Errorf("route %q, unpinned %q", e.Route, e.Unpinned)
	}
}
