package grants_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/grantstest"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// world is everything that grants makes of settings.
func world(tb testing.TB, set *settings.Settings, needs []preflight.Need) grantstest.World {
	tb.Helper()
	h := grants.NamesOf(set)
	w := grantstest.World{Roles: map[policy.ARN]grants.Role{}, Resources: map[policy.ARN]policy.Document{}}
	put := func(account string, roles []grants.Role, err error) {
		if err != nil {
			tb.Fatal(err)
		}
		for _, r := range roles {
			w.Roles[policy.ARN{Partition: h.Partition, Service: "iam", Account: account, Resource: "role" + r.Path + r.Name}] = r
		}
	}
	keep := func(of policy.ARN, d policy.Document, err error) {
		if err != nil {
			tb.Fatal(err)
		}
		w.Resources[of] = d
	}
	roles, err := grants.Hub(set, grantstest.HubNeeds(set), needs)
	put(h.Account, roles, err)
	for _, m := range set.Members {
		roles, err := grants.Member(set, m.Account, needs)
		put(m.Account, roles, err)
		for _, region := range m.Regions {
			d, err := grants.TopicPolicy(h, m.Account, region)
			keep(grants.Topic(m.Account, region), d, err)
			d, err = grants.ReportBucketPolicy(h.Partition, m.Account, region)
			keep(policy.BucketARN(h.Partition, settings.ReportBucket(m.Account, region)), d, err)
		}
	}
	for _, q := range grants.Queues() {
		d, err := grants.QueuePolicy(set, q)
		keep(h.Queue(q), d, err)
	}
	d, err := grants.BusPolicy(set)
	keep(h.Bus(), d, err)
	d, err = grants.SealKeyPolicy(h, grants.Page, grants.Slack)
	keep(grantstest.SealKey, d, err)
	return w
}

func TestRoles(t *testing.T) {
	t.Parallel()
	set := grantstest.Settings(t)
	grantstest.Run(t, world(t, set, grantstest.MemberNeeds()))
}

// TestNeedsAreGranted: every need is allowed on everything that it is about, and nothing is that no need declares.
func TestNeedsAreGranted(t *testing.T) {
	t.Parallel()
	set := grantstest.Settings(t)
	grantstest.RunNeeds(t, set, world(t, set, grantstest.MemberNeeds()))
}

// many is settings with so many routes between two accounts, in the modes in turn.
func many(tb testing.TB, routes int, modes ...settings.Mode) *settings.Settings {
	tb.Helper()
	set := *grantstest.Settings(tb)
	pattern := set.Routes[0]
	set.Routes = nil
	for i := range routes {
		r := pattern
		id := fmt.Sprintf("%06d", i)
		r.Name, r.Mode = "route-"+id, modes[i%len(modes)]
		r.Source.Bucket, r.Destination.Bucket = "production-documents-of-team-"+id, "production-documents-of-team-"+id+"-replica"
		r.Role.ARN.Resource = "role/replication/production-documents-of-team-" + id
		r.SourceKeys = []policy.ARN{{Partition: "aws", Service: "kms", Region: "eu-west-1", Account: grantstest.Source, Resource: "key/" + uuid(i)}}
		r.ReplicaKey = policy.ARN{Partition: "aws", Service: "kms", Region: "eu-central-1", Account: grantstest.Target, Resource: "key/" + uuid(i)}
		set.Routes = append(set.Routes, r)
	}
	return &set
}

func uuid(i int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i) }

// sizes holds a role against what IAM stores, and says whether it is wider than its routes.
func sizes(tb testing.TB, role grants.Role) {
	tb.Helper()
	inline := 0
	for _, p := range role.Policies {
		inline += p.Document.Size()
	}
	if inline > 10240 || len(role.Managed) > 10 || role.Trust.Size() > 2048 {
		tb.Errorf("%s: %d characters inline, %d managed policies, trust of %d", role.Name, inline, len(role.Managed), role.Trust.Size())
	}
	for _, p := range role.Managed {
		if p.Document.Size() > 6144 || len(p.Document.Statements) == 0 {
			tb.Errorf("%s has %d characters in %d statements", p.Name, p.Document.Size(), len(p.Document.Statements))
		}
	}
}

func TestTwoHundredRoutes(t *testing.T) {
	t.Parallel()
	set := many(t, 200, settings.Automatic)
	w := world(t, set, grantstest.MemberNeeds())
	for who, role := range w.Roles {
		sizes(t, role)
		for _, p := range append(role.Policies, role.Managed...) {
			if strings.Contains(p.Document.Indent(), grants.RouteTag) {
				t.Errorf("%s goes by tags, although the ARNs of 200 routes fit", who)
			}
		}
	}
	for _, r := range set.Routes {
		for action, on := range map[string]string{"iam:PutRolePolicy": r.Role.ARN.String(), "iam:DeleteRolePolicy": r.Role.ARN.String()} {
			if got := grantstest.Ask(w, grantstest.Case{Who: settings.IdentityWriter.ARN("aws", grantstest.Source), Action: action, On: on}); got != "allowed" {
				t.Errorf("%s on %s: %s", action, on, got)
			}
		}
		for action, on := range map[string]string{
			"kms:PutKeyPolicy": r.SourceKeys[0].String(), "s3:PutBucketPolicy": policy.BucketARN("aws", r.Source.Bucket).String(),
		} {
			if got := grantstest.Ask(w, grantstest.Case{Who: settings.ResourceWriter.ARN("aws", grantstest.Source), Action: action, On: on}); got != "allowed" {
				t.Errorf("%s on %s: %s", action, on, got)
			}
		}
	}
}

// TestTags: where the roles of an account are too many to name, those count that carry the tag, and still none of Replimend.
func TestTags(t *testing.T) {
	t.Parallel()
	set := many(t, 900, settings.Automatic)
	var only []preflight.Need // buckets cannot go by tags
	for _, n := range grantstest.MemberNeeds() {
		if n.Role == settings.IdentityWriter {
			only = append(only, n)
		}
	}
	w := world(t, set, append(only, preflight.Need{Role: settings.Reader, Action: "iam:GetRole", Resource: "role"}))
	who := settings.IdentityWriter.ARN("aws", grantstest.Source)
	sizes(t, w.Roles[who])
	tagged := map[string]string{"aws:ResourceTag/" + grants.RouteTag: grants.RouteTagValue}
	for _, c := range []grantstest.Case{
		{On: set.Routes[0].Role.ARN.String(), Given: tagged, Allowed: true},
		{On: set.Routes[0].Role.ARN.String()},
		{On: who.String(), Given: tagged, Denied: true},
		{On: "arn:aws:iam::" + grantstest.Target + ":role/x", Given: tagged},
	} {
		c.Who, c.Action = who, "iam:PutRolePolicy"
		want := map[bool]string{true: "allowed", false: "not allowed"}[c.Allowed]
		if c.Denied {
			want = "denied"
		}
		if got := grantstest.Ask(w, c); got != want {
			t.Errorf("%s %v: %s, want %s", c.On, c.Given, got, want)
		}
	}
}

func TestTooManyBuckets(t *testing.T) {
	t.Parallel()
	set := many(t, 1500, settings.Automatic)
	_, err := grants.Member(set, grantstest.Source, grantstest.MemberNeeds())
	if err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("1500 buckets: %v", err)
	}
	if _, err := grants.Member(set, grantstest.Elsewhere, grantstest.MemberNeeds()); err == nil || !strings.Contains(err.Error(), "no member") {
		t.Errorf("no member: %v", err)
	}
}

// TestObservedAccountsHaveNoWriter: where every route is only observed there is nobody to write.
func TestObservedAccountsHaveNoWriter(t *testing.T) {
	t.Parallel()
	roles, err := grants.Member(many(t, 3, settings.Observe), grantstest.Source, grantstest.MemberNeeds())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range roles {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != string(settings.Reader)+" "+grants.Events {
		t.Errorf("roles %s", got)
	}
}

// TestWritersWriteApprovedDocumentsOnly: whatever the routes are, a writer is allowed exactly the documents of those that may be acted
// on, of its own account.
func TestWritersWriteApprovedDocumentsOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		set := many(t, 6, settings.Observe, settings.Approve)
		for i := range set.Routes {
			r := &set.Routes[i]
			r.Mode = rapid.SampledFrom([]settings.Mode{settings.Observe, settings.Approve, settings.Automatic}).Draw(rt, "mode")
			r.Allow.RoleTrust = rapid.Bool().Draw(rt, "trust")
			if rapid.Bool().Draw(rt, "turned") {
				r.Source.Account, r.Destination.Account = r.Destination.Account, r.Source.Account
				r.Role.ARN.Account = r.Source.Account
				r.SourceKeys[0].Account, r.ReplicaKey.Account = r.Source.Account, r.Destination.Account
			}
			if rapid.Bool().Draw(rt, "shared role") {
				r.Role.ARN = set.Routes[0].Role.ARN
			}
			if rapid.IntRange(0, 5).Draw(rt, "own role") == 0 {
				r.Role.ARN.Resource = "role/replimend/replimend-reader"
			}
		}
		w := world(t, set, grantstest.MemberNeeds())
		acts := func(r settings.ApprovedRoute) bool { return r.Mode != settings.Observe }
		own := func(a policy.ARN) bool { return strings.HasPrefix(a.Resource, "role/replimend/") }
		for _, account := range []string{grantstest.Source, grantstest.Target} {
			for _, r := range set.Routes {
				approved := func(match func(settings.ApprovedRoute) bool) bool {
					return slices.ContainsFunc(set.Routes, func(o settings.ApprovedRoute) bool { return acts(o) && match(o) })
				}
				role := r.Role.ARN
				wantRole := role.Account == account && !own(role) && approved(func(o settings.ApprovedRoute) bool { return o.Role.ARN == role })
				for action, want := range map[string]bool{
					"iam:PutRolePolicy": wantRole, "iam:DeleteRolePolicy": wantRole,
					"iam:UpdateAssumeRolePolicy": wantRole && approved(func(o settings.ApprovedRoute) bool { return o.Role.ARN == role && o.Allow.RoleTrust }),
					"iam:AttachRolePolicy":       false,
				} {
					got := grantstest.Ask(w, grantstest.Case{Who: settings.IdentityWriter.ARN("aws", account), Action: action, On: role.String()})
					if (got == "allowed") != want {
						rt.Fatalf("%s of %s on %s: %s, want %t", action, account, role, got, want)
					}
				}
				for _, key := range []policy.ARN{r.SourceKeys[0], r.ReplicaKey} {
					want := key.Account == account && acts(r)
					got := grantstest.Ask(w, grantstest.Case{Who: settings.ResourceWriter.ARN("aws", account), Action: "kms:PutKeyPolicy", On: key.String()})
					if (got == "allowed") != want {
						rt.Fatalf("%s of %s: %s, want %t", key, account, got, want)
					}
				}
				for _, b := range []settings.Bucket{r.Source, r.Destination} {
					want := b.Account == account && acts(r)
					got := grantstest.Ask(w, grantstest.Case{
						Who: settings.ResourceWriter.ARN("aws", account), Action: "s3:PutBucketPolicy",
						On: policy.BucketARN("aws", b.Bucket).String(), ResourceAccount: b.Account,
					})
					if (got == "allowed") != want {
						rt.Fatalf("bucket %s of %s: %s, want %t", b.Bucket, account, got, want)
					}
				}
			}
		}
	})
}

// TestPrefixesAreLiteral: what a rule's prefix has of the language of policies is no pattern.
func TestPrefixesAreLiteral(t *testing.T) {
	t.Parallel()
	set := many(t, 1, settings.Automatic)
	set.Routes[0].Rule.Prefix = "a*b?${aws:username}/"
	w := world(t, set, grantstest.MemberNeeds())
	who, bucket := settings.Reader.ARN("aws", grantstest.Source), set.Routes[0].Source.Bucket
	for key, want := range map[string]string{
		"a*b?${aws:username}/x": "allowed", "axbx${aws:username}/x": "not allowed", "other": "not allowed",
	} {
		c := grantstest.Case{Who: who, Action: "s3:GetObjectVersion", On: policy.ObjectARN("aws", bucket, key).String()}
		if got := grantstest.Ask(w, c); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

// TestCanary: only below the prefix of canaries, and only of routes that opted in and may be acted on.
func TestCanary(t *testing.T) {
	t.Parallel()
	set := grantstest.Settings(t)
	who := settings.CanaryWriter.ARN("aws", grantstest.Source)
	w := world(t, set, append(grantstest.MemberNeeds(), preflight.Need{
		Role: settings.CanaryWriter, Action: "s3:PutObject", Resource: preflight.CanarySource,
	}))
	for on, want := range map[string]string{
		"arn:aws:s3:::orders/2026/replimend-canary/inc-1": "allowed",
		"arn:aws:s3:::orders/2026/a":                      "not allowed",
		"arn:aws:s3:::invoices/replimend-canary/inc-1":    "not allowed",
		"arn:aws:s3:::audit/replimend-canary/inc-1":       "not allowed",
	} {
		if got := grantstest.Ask(w, grantstest.Case{Who: who, Action: "s3:PutObject", On: on}); got != want {
			t.Errorf("%s: %s, want %s", on, got, want)
		}
	}
}

func TestTooManyMembers(t *testing.T) {
	t.Parallel()
	set := grantstest.Settings(t)
	for i := range 100 {
		set.Members = append(set.Members, settings.Member{Account: fmt.Sprintf("2%011d", i), Regions: []string{"eu-west-1", "me-south-1"}})
	}
	d, err := grants.QueuePolicy(set, grants.Failures)
	if err != nil || d.Size() > 8192 || !strings.Contains(d.Indent(), "sns.me-south-1.amazonaws.com") {
		t.Errorf("102 members: %d bytes, %v", d.Size(), err)
	}
	roles, err := grants.Hub(set, grantstest.HubNeeds(set), grantstest.MemberNeeds())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles {
		sizes(t, r)
	}
	for i := range 900 {
		set.Members = append(set.Members, settings.Member{Account: fmt.Sprintf("3%011d", i), Regions: []string{"eu-west-1"}})
	}
	if _, err := grants.QueuePolicy(set, grants.Failures); err == nil || !strings.Contains(err.Error(), "8192 bytes") {
		t.Errorf("1002 members: %v", err)
	}
	if _, err := grants.BusPolicy(set); err == nil || !strings.Contains(err.Error(), "10240 bytes") {
		t.Errorf("1002 members: %v", err)
	}
}

// TestSealKeyByItself: not even who may do everything by its own policies seals, and each end may do its half.
func TestSealKeyByItself(t *testing.T) {
	t.Parallel()
	h := grants.NamesOf(grantstest.Settings(t))
	d, err := grants.SealKeyPolicy(h, grants.Page, grants.Slack)
	if err != nil {
		t.Fatal(err)
	}
	s, err := policy.StatementSpec{Effect: policy.Allow, Actions: []string{"*"}, Resources: []string{"*"}}.Build()
	if err != nil {
		t.Fatal(err)
	}
	everything := grants.Role{Policies: []grants.Policy{{Name: "everything", Document: policy.New(s)}}}
	admin, remedy, approval := h.Role("admin"), h.Role(string(grants.Remedy)), h.Role(string(grants.Approval))
	w := grantstest.World{
		Roles:     map[policy.ARN]grants.Role{admin: everything, remedy: everything, approval: everything},
		Resources: map[policy.ARN]policy.Document{grantstest.SealKey: d},
	}
	for _, c := range []grantstest.Case{
		{Who: admin, Action: "kms:PutKeyPolicy", Allowed: true},
		{Who: admin, Action: "kms:GenerateMac"},
		{Who: admin, Action: "kms:VerifyMac"},
		{Who: admin, Action: "kms:CreateGrant"},
		{Who: remedy, Action: "kms:VerifyMac", Allowed: true},
		{Who: remedy, Action: "kms:GenerateMac"},
		{Who: approval, Action: "kms:GenerateMac", Allowed: true},
		{Who: approval, Action: "kms:VerifyMac"},
	} {
		c.On = grantstest.SealKey.String()
		if got := grantstest.Ask(w, c); (got == "allowed") != c.Allowed {
			t.Errorf("%s %s: %s, want %t", c.Who.Name(), c.Action, got, c.Allowed)
		}
	}
}
