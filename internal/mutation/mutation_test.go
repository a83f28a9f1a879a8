package mutation

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

var repository = os.DirFS("../..")

func text(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEveryMutantIsBlamedAndCured is the run of make mutate.
func TestEveryMutantIsBlamedAndCured(t *testing.T) {
	t.Parallel()
	r, err := Run(repository, Worlds, Consumers)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Reached() {
		t.Errorf("the goal is not reached:\n%s", text(t, r))
	}
	for _, c := range []struct {
		group           *Group
		worlds, mutants int
	}{{r.Routes, 35, 6000}, {r.Accesses, 12, 900}} {
		if c.group.Worlds < c.worlds || c.group.Total.Mutants < c.mutants {
			t.Errorf("%d mutants of %d %s: the run has become smaller than it was", c.group.Total.Mutants, c.group.Worlds, c.group.What)
		}
	}
}

// trialWorlds is enough of the worlds to see that a worse diagnosis is caught.
var trialWorlds = []string{
	"internal/diagnose/testdata/base/cross-account-prefix.json",
}

func TestReportIsTheSameInEveryRun(t *testing.T) {
	t.Parallel()
	var of [2]string
	for i := range of {
		r, err := Run(repository, trialWorlds, nil)
		if err != nil {
			t.Fatal(err)
		}
		of[i] = text(t, r)
	}
	if of[0] != of[1] {
		t.Errorf("two runs differ:\n%s\n%s", of[0], of[1])
	}
}

// TestWorseDiagnosesAreCaught plants faults in the diagnosis, one at a time, and wants the oracle that is there for them to see
// each.
func TestWorseDiagnosesAreCaught(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault string
		plant func(r *diagnose.Route)
		count func(t Row) int // what the oracle counts
		want  string          // in a miss
	}{
		{"sides swapped", swapSides, wrongSide, "side: "},
		{"one layer forgotten", forget(snapshot.DestinationBucketPolicy), wrongCause, "want fault destination-policy-lacks-replicate-object"},
		{"another document blamed as well", blameTheBucketToo, wrongCause, "blames another document: "},
		{"a general cause for a special one", generalise, wrongCause, "want fault encryption-context-mismatch"},
		{"a warning blown up to a fault", exaggerate, wrongCause, "want warning role-lacks-read-tags"},
		{"verdict kept healthy", praise, wrongCause, "verdict healthy, want broken"},
		{"no plans", dropPlans, uncured, "no plan, and an edit could cure it"},
		{"one edit of a plan forgotten", dropActions, falseCures, "its proof says healthy: true"},
		{"ViaService of another Region in cures", rewrite("s3.eu-west-1.amazonaws.com", "s3.ap-south-1.amazonaws.com"), falseCures, "its proof says healthy: true"},
		{"every action granted", grant(policy.StatementSpec{Actions: []string{"s3:*", "kms:*"}}), overGrants, "over-grant: "},
		{"every object granted", grant(policy.StatementSpec{Actions: []string{"s3:ReplicateObject"}}), overGrants, "over-grant: "},
		{"everybody let in", letIn("*"), overGrants, "over-grant: "},
		{"the role's account let in", letIn("arn:aws:iam::111122223333:root"), overGrants, "over-grant: "},
		{"conditions left out", rewrite(`"kms:ViaService"`, `"aws:SourceVpce"`), uncured, "the plan leaves the route"},
		{"grants that are not listed", unlist, overGrants, "does not list it"},
		{"a plan for an explicit Deny", planForDeny, falseCures, "a plan for what no edit may cure"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			r, err := run(repository, trialWorlds, nil, c.plant)
			if err != nil {
				t.Fatal(err)
			}
			caught(t, r.Routes, c.count, c.want)
		})
	}
}

// caught holds that the oracle counts the planted fault and says what it is.
func caught(t *testing.T, g *Group, count func(Row) int, want string) {
	t.Helper()
	if g.Reached() || count(g.Total) == 0 || !strings.Contains(strings.Join(g.Misses, "\n"), want) {
		t.Errorf("not caught: %+v and no miss with %q", g.Total, want)
	}
}

// TestWorseDiagnosesOfAccessesAreCaught is TestWorseDiagnosesAreCaught for who reads and writes.
func TestWorseDiagnosesOfAccessesAreCaught(t *testing.T) {
	t.Parallel()
	blame := func(from, to string) func(r *diagnose.Route) {
		return func(r *diagnose.Route) {
			for i := range r.Findings {
				if r.Findings[i].Cause == from {
					r.Findings[i].Cause = to
				}
			}
		}
	}
	for _, c := range []struct {
		fault string
		plant func(r *diagnose.Route)
		count func(t Row) int
		want  string
	}{
		{"the other side", swapPrincipal, wrongSide, "side: "},
		{"the key's policy for the principal's", blame("key-policy-lacks-decrypt", "principal-lacks-decrypt"), wrongCause, "want fault key-policy-lacks-decrypt"},
		{"the bucket's policy forgotten", forget(snapshot.BucketPolicy), wrongCause, "want fault bucket-policy-lacks-get-object"},
		{"a user's policy forgotten", forget(snapshot.UserPolicy), wrongCause, "want fault principal-lacks-put-object of user-policy"},
		{"verdict kept healthy", praise, wrongCause, "verdict healthy, want broken"},
		{"no plans", dropPlans, uncured, "no plan, and an edit could cure it"},
		{"one edit of a plan forgotten", dropActions, falseCures, "its proof says healthy: true"},
		{"ViaService of another Region in cures", rewrite("s3.ap-northeast-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"), falseCures, "its proof says healthy: true"},
		{"every action granted", grant(policy.StatementSpec{Actions: []string{"s3:*", "kms:*"}}), overGrants, "over-grant: "},
		{"everybody let in", letIn("*"), overGrants, "over-grant: "},
		{"grants that are not listed", unlist, overGrants, "does not list it"},
		{"a plan for an explicit Deny", planForDeny, falseCures, "a plan for what no edit may cure"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			r, err := run(repository, nil, trialConsumers, c.plant)
			if err != nil {
				t.Fatal(err)
			}
			caught(t, r.Accesses, c.count, c.want)
		})
	}
}

// TestWhatRulesSelectIsHeld takes one cause away from the diagnosis and wants the mutants that are there for it to miss it.
func TestWhatRulesSelectIsHeld(t *testing.T) {
	t.Parallel()
	for cause, world := range map[string]string{
		"kms-opt-in-outranked": "overlapping-prefixes", "service-writer-denied": "log-delivery", "rule-disabled": "../../diagnose/testdata/base/same-account-sse-s3",
		"replica-modifications-one-sided": "two-way", "prefix-is-literal": "two-way", "replication-time-incomplete": "two-way",
	} {
		t.Run(cause, func(t *testing.T) {
			t.Parallel()
			r, err := run(repository, []string{path.Join("internal/mutation/testdata", world+".json")}, nil, func(r *diagnose.Route) {
				r.Findings = slices.DeleteFunc(r.Findings, func(f diagnose.Finding) bool { return f.Cause == cause })
			})
			if err != nil {
				t.Fatal(err)
			}
			if wrongCause(r.Routes.Total) == 0 || !strings.Contains(strings.Join(r.Routes.Misses, "\n"), "want warning "+cause) &&
				!strings.Contains(strings.Join(r.Routes.Misses, "\n"), "want fault "+cause) {
				t.Errorf("not caught: %+v", r.Routes.Total)
			}
		})
	}
}

// trialConsumers is enough of the accesses to see that a worse diagnosis is caught.
var trialConsumers = []string{"internal/mutation/testdata/guarded-consumers.json"}

func swapPrincipal(r *diagnose.Route) {
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Side == diagnose.PrincipalSide {
			f.Side = diagnose.ResourceSide
		} else {
			f.Side = diagnose.PrincipalSide
		}
	}
}

func wrongSide(r Row) int  { return r.Mutants - r.Side }
func wrongCause(r Row) int { return r.Mutants - r.Cause }
func uncured(r Row) int    { return r.Curable - r.Cured }
func falseCures(r Row) int { return r.FalseCures }
func overGrants(r Row) int { return r.OverGrants }

func swapSides(r *diagnose.Route) {
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Side == diagnose.SourceSide {
			f.Side = diagnose.DestinationSide
		} else {
			f.Side = diagnose.SourceSide
		}
	}
}

// forget drops what is said of documents of that kind.
func forget(kind snapshot.Kind) func(*diagnose.Route) {
	return func(r *diagnose.Route) {
		var kept []diagnose.Finding
		for _, f := range r.Findings {
			if f.Document.Kind != kind {
				kept = append(kept, f)
			}
		}
		r.Findings = kept
	}
}

func blameTheBucketToo(r *diagnose.Route) {
	if len(r.Findings) > 0 {
		r.Findings = append(r.Findings, diagnose.Finding{
			Cause: "explicit-deny", Severity: diagnose.Fault, Document: snapshot.Ref{Kind: snapshot.SourceBucketPolicy, ID: r.Source},
		})
	}
}

func generalise(r *diagnose.Route) {
	for i := range r.Findings {
		if r.Findings[i].Cause == "encryption-context-mismatch" {
			r.Findings[i].Cause = "role-lacks-replica-encrypt"
		}
	}
}

func exaggerate(r *diagnose.Route) {
	for i := range r.Findings {
		if r.Findings[i].Severity == diagnose.Warning {
			r.Findings[i].Severity = diagnose.Fault
		}
	}
}

func praise(r *diagnose.Route) { r.Verdict = diagnose.Healthy }

func dropPlans(r *diagnose.Route) { r.Plan = nil }

// editStatements changes the statements that the plan adds.
func editStatements(r *diagnose.Route, change func(e *patch.Edit, added []policy.Statement) []policy.Statement) {
	if r.Plan == nil {
		return
	}
	for i := range r.Plan.Edits {
		e := &r.Plan.Edits[i]
		own := len(e.Before.V.Statements)
		added := change(e, e.After.V.Statements[own:])
		if e.After = e.Before; len(added) == 0 {
			continue
		}
		d := e.Before.V
		for _, s := range added {
			d = d.Append(s)
		}
		e.After = snapshot.Of(d)
	}
}

func dropActions(r *diagnose.Route) {
	editStatements(r, func(_ *patch.Edit, added []policy.Statement) []policy.Statement { return added[1:] })
}

// rewrite replaces a text in the statements that plans add.
func rewrite(old, by string) func(*diagnose.Route) {
	return func(r *diagnose.Route) {
		editStatements(r, func(_ *patch.Edit, added []policy.Statement) []policy.Statement {
			data, _ := policy.New(added...).MarshalJSON()
			d, err := policy.Parse([]byte(strings.ReplaceAll(string(data), old, by)))
			if err != nil {
				panic(err)
			}
			return d.Statements
		})
	}
}

// grant adds a statement on everything to what plans add.
func grant(spec policy.StatementSpec) func(*diagnose.Route) {
	return func(r *diagnose.Route) {
		editStatements(r, func(e *patch.Edit, added []policy.Statement) []policy.Statement {
			if e.Document.Kind != snapshot.RolePolicy {
				return added
			}
			wide := spec // worlds are judged side by side
			wide.Sid, wide.Effect, wide.Resources = "Wide", policy.Allow, []string{"*"}
			return append(added[:len(added):len(added)], built(wide))
		})
	}
}

func letIn(principal string) func(*diagnose.Route) {
	return func(r *diagnose.Route) {
		role := r.Role
		rewrite(`"AWS":"`+role+`"`, `"AWS":"`+principal+`"`)(r)
	}
}

func built(spec policy.StatementSpec) policy.Statement {
	s, err := spec.Build()
	if err != nil {
		panic(err) // a literal of this file
	}
	return s
}

func unlist(r *diagnose.Route) {
	if r.Plan != nil {
		for i := range r.Plan.Edits {
			r.Plan.Edits[i].Adds = r.Plan.Edits[i].Adds[1:]
		}
	}
}

func planForDeny(r *diagnose.Route) {
	for _, f := range r.Findings {
		if f.Cause == "explicit-deny" && r.Plan == nil {
			r.Plan = &patch.Plan{Edits: []patch.Edit{{
				Document: snapshot.Ref{Kind: snapshot.RolePolicy, ID: r.Role, Name: "Replimend"}, Before: snapshot.None[policy.Document](),
				After: snapshot.Of(policy.New(built(policy.StatementSpec{Effect: policy.Allow, Actions: []string{"s3:ReplicateObject"}, Resources: []string{"*"}}))),
			}}}
		}
	}
}

// TestEveryLookalikeDiffersFromItsAction holds the table: a swap for itself would be no mutation.
func TestEveryLookalikeDiffersFromItsAction(t *testing.T) {
	t.Parallel()
	for action, other := range lookalikes {
		if action == other {
			t.Errorf("%s is swapped for itself", action)
		}
	}
}

// TestAnswersThatHurt holds the counting: a permission that another one implies is lost only to a Deny.
func TestAnswersThatHurt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		need    route.Need
		outcome authz.Outcome
		want    bool
	}{
		{route.Required, authz.Allowed, false},
		{route.Required, authz.ImplicitDeny, true},
		{route.Required, authz.Unknown, true},
		{route.DenyOnly, authz.ImplicitDeny, false},
		{route.DenyOnly, authz.ExplicitDeny, true},
	} {
		if got := (answer{Requirement: route.Requirement{Need: c.need}, outcome: c.outcome}).hurt(); got != c.want {
			t.Errorf("%s %s hurts: %v, want %v", c.need, c.outcome, got, c.want)
		}
	}
}
