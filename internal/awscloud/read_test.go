package awscloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// waited reads a snapshot in a bubble of its own and says how many answers it waited for one after the other: in a bubble time
// moves only when everybody waits, so that it is exact however slow the machine is.
func waited(t *testing.T, c *cloud, a awscloud.Access, o awscloud.ReadOptions, samples ...incident.Object) (*snapshot.Snapshot, int) {
	t.Helper()
	var s *snapshot.Snapshot
	var rounds int
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var err error
		if s, err = awscloud.NewReader(awscloud.NewAccounts(a), o).Snapshot(t.Context(), "source-0", samples); err != nil {
			t.Fatal(err)
		}
		rounds = int(time.Since(begun) / c.wait)
	})
	checkSnapshot(t, s)
	return s, rounds
}

// checkSnapshot holds what was read against the contract: its own parser must take it.
func checkSnapshot(t *testing.T, s *snapshot.Snapshot) {
	t.Helper()
	if _, err := snapshot.Parse([]byte(s.Indent())); err != nil {
		t.Fatalf("what was read is no snapshot: %v\n%s", err, s.Indent())
	}
}

var both = []string{sourceAccount, destinationAccount}

func members() []settings.Member {
	return []settings.Member{{Account: sourceAccount, Regions: []string{sourceRegion}}, {Account: destinationAccount, Regions: []string{destinationRegion}}}
}

// TestRounds is how deep the calls are. 100 ms of waiting at 20 ms a call are five rounds.
func TestRounds(t *testing.T) {
	t.Parallel()
	const managed = "arn:aws:iam::111122223333:policy/replication"
	// The default key of a bucket gets an alias, and the bucket names it by that.
	alias := func(c *cloud, bucket string) {
		b := c.buckets[bucket]
		key := fmt.Sprintf("arn:aws:kms:%s:%s:key/default", b.region, b.account)
		c.keys[key] = cloudKey{"Enabled", anyPolicy}
		c.aliases = map[string]string{fmt.Sprintf("arn:aws:kms:%s:%s:alias/k", b.region, b.account): key}
		b.documents["encryption"] = encryptionXML("alias/k")
	}
	for name, test := range map[string]struct {
		approved, members bool
		change            func(*cloud)
		want              int
	}{
		"approved":                    {approved: true, want: 2},
		"approved, with sessions":     {approved: true, members: true, want: 3},
		"approved, a later version":   {approved: true, change: func(c *cloud) { c.policies[managed] = []string{anyPolicy, anyPolicy} }, want: 3},
		"not approved":                {want: 3},
		"not approved, with sessions": {members: true, want: 4},
		"not approved, a later version": {
			change: func(c *cloud) { c.policies[managed] = []string{anyPolicy, anyPolicy} }, want: 4,
		},
		"source default by alias":                {change: func(c *cloud) { alias(c, "source-0") }, want: 3},
		"destination default by alias":           {change: func(c *cloud) { alias(c, "destination-0") }, want: 4},
		"approved, destination default by alias": {approved: true, change: func(c *cloud) { alias(c, "destination-0") }, want: 3},
		"approved, the destination moved to another Region": {approved: true, change: func(c *cloud) {
			b := c.buckets["destination-0"]
			b.region = "eu-north-1"
			c.buckets["destination-0"] = b
		}, want: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, approved := network(1, 1, 2)
			if test.change != nil {
				test.change(c)
			}
			var o awscloud.ReadOptions
			if test.approved {
				o.Approved = approved
			} else {
				o.Region = sourceRegion
			}
			a := c.access(both)
			if test.members {
				a = c.access(nil, members()...)
			}
			s, rounds := waited(t, c, a, o)
			if rounds != test.want {
				t.Errorf("%d rounds, want %d: %d ms of waiting", rounds, test.want, time.Duration(rounds)*c.wait/time.Millisecond)
			}
			if len(s.Unreadable) > 0 {
				t.Errorf("unreadable: %v", s.Unreadable)
			}
			if len(s.Buckets) != 2 || len(s.Roles) != 1 || len(s.Keys) < 2 {
				t.Errorf("%d buckets, %d roles, %d keys: want two buckets with their keys and a role", len(s.Buckets), len(s.Roles), len(s.Keys))
			}
		})
	}
}

// TestSharedDocumentsAreReadOnce: many routes over fifty roles and a hundred keys. BenchmarkSurvey has more of them.
func TestSharedDocumentsAreReadOnce(t *testing.T) {
	t.Parallel()
	const routes = 300
	c, approved := network(routes, 50, 100)
	var progress []int
	var s *snapshot.Snapshot
	var r *awscloud.Reader
	synctest.Test(t, func(t *testing.T) { // where every call waits until all that may wait do
		r = awscloud.NewReader(awscloud.NewAccounts(c.access(both)), awscloud.ReadOptions{Approved: approved, Progress: func(done, total int) {
			if total != routes {
				t.Errorf("progress of %d, want %d", total, routes)
			}
			progress = append(progress, done)
		}})
		var err error
		if s, err = r.Survey(t.Context(), sources(approved)); err != nil {
			t.Fatal(err)
		}
	})
	checkSnapshot(t, s)
	if len(s.Buckets) != 2*routes || len(s.Roles) != 50 || len(s.Keys) != 100 || len(s.Unreadable) > 0 {
		t.Errorf("%d buckets, %d roles, %d keys, unreadable %v", len(s.Buckets), len(s.Roles), len(s.Keys), s.Unreadable)
	}
	for operation, want := range map[string]int{
		"iam:GetRole": 50, "iam:GetRolePolicy": 50, "iam:GetPolicyVersion": 2, "iam:GetPolicy": 2,
		"kms:DescribeKey": 100, "kms:GetKeyPolicy": 100, "kms:ListGrants": 100, "s3:replication": 2 * routes, "s3:head": 2 * routes,
	} {
		if all, most := c.counted(operation); all != want || most != 1 {
			t.Errorf("%s: %d calls, at most %d about one thing; want %d, once each", operation, all, most, want)
		}
	}
	// Two buckets of 11 calls, roles of 4, keys of 5, two managed policies of 2; nothing else.
	if got, want := calls(r), 22*routes+4*50+5*100+2*2; got != want {
		t.Errorf("%d calls, want %d", got, want)
	}
	if c.most > 64 {
		t.Errorf("%d calls at once, want at most 64", c.most)
	}
	if !slices.IsSorted(progress) || len(progress) != routes || progress[routes-1] != routes {
		t.Errorf("progress: %v", progress)
	}
}

func sources(approved []settings.ApprovedRoute) []string {
	var out []string
	for _, a := range approved {
		out = append(out, a.Source.Bucket)
	}
	return out
}

func calls(r *awscloud.Reader) int {
	n := 0
	for _, of := range r.Calls() {
		n += of
	}
	return n
}

// TestHintsAreNoFacts: what was approved is gone, and the configuration leads elsewhere.
func TestHintsAreNoFacts(t *testing.T) {
	t.Parallel()
	c, approved := network(2, 2, 4)
	c.buckets["source-0"] = c.buckets["source-1"] // with the role, keys and destination of the other
	s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Approved: approved[:1]})
	if got := slices.Sorted(maps.Keys(s.Buckets)); !slices.Equal(got, []string{"destination-1", "source-0"}) {
		t.Errorf("buckets %v", got)
	}
	if _, ok := s.Roles[approved[1].Role.ARN]; !ok || len(s.Roles) != 1 {
		t.Errorf("roles %v, want the one of the configuration", slices.Collect(maps.Keys(s.Roles)))
	}
	if _, ok := s.Keys[approved[1].ReplicaKey]; !ok || len(s.Keys) != 2 {
		t.Errorf("keys %v, want those of the configuration", slices.Collect(maps.Keys(s.Keys)))
	}
}

// TestOwners is who is asked for a bucket, and whose documents are taken for whose.
func TestOwners(t *testing.T) {
	t.Parallel()
	const stranger = "777788889999"
	own := func(bucket, account, region string) func(*cloud) {
		return func(c *cloud) {
			b := c.buckets[bucket]
			b.account, b.region = account, region
			c.buckets[bucket] = b
		}
	}
	for name, test := range map[string]struct {
		change   func(*cloud)
		known    []string
		approved bool
		bucket   string
		account  string // that owns the bucket as read; "" nobody
		region   string
	}{
		"as approved":                                    {known: both, approved: true, bucket: "destination-0", account: destinationAccount, region: destinationRegion},
		"as the rule says":                               {known: both, bucket: "destination-0", account: destinationAccount, region: destinationRegion},
		"of another account than approved":               {change: own("destination-0", sourceAccount, destinationRegion), known: both, approved: true, bucket: "destination-0", account: sourceAccount, region: destinationRegion},
		"of another account, elsewhere":                  {change: own("destination-0", sourceAccount, "eu-north-1"), known: both, bucket: "destination-0", account: sourceAccount, region: "eu-north-1"},
		"taken by a stranger":                            {change: own("destination-0", stranger, destinationRegion), known: both, approved: true, bucket: "destination-0", region: destinationRegion},
		"a source that nobody approved":                  {change: own("source-0", destinationAccount, "us-east-1"), known: both, bucket: "source-0", account: destinationAccount, region: "us-east-1"},
		"a source of one of many accounts":               {known: append([]string{"222233334444", "333344445555", "555566667777"}, both...), bucket: "source-0", account: sourceAccount, region: sourceRegion},
		"a source of the caller's own":                   {change: own("source-0", "999900009999", sourceRegion), bucket: "source-0", account: "999900009999", region: sourceRegion},
		"a source of the caller's, not one of the known": {change: own("source-0", "999900009999", sourceRegion), known: both, bucket: "source-0", account: "999900009999", region: sourceRegion},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, approved := network(1, 1, 2)
			if test.change != nil {
				test.change(c)
			}
			o := awscloud.ReadOptions{Region: sourceRegion}
			if test.approved {
				o.Approved = approved
			}
			s, _ := waited(t, c, c.access(test.known), o)
			b, ok := s.Buckets[test.bucket].Get()
			if !ok || b.Account != test.account || b.Region != test.region {
				t.Errorf("bucket %v of account %q in %q, want %q in %q", ok, b.Account, b.Region, test.account, test.region)
			}
			missing := b.Policy.State == snapshot.Missing && b.Encryption.State == snapshot.Missing && b.Tags.State == snapshot.Missing
			listed := s.Unreadable["buckets."+test.bucket+".policy"] != "" && s.Unreadable["buckets."+test.bucket+".account"] != ""
			if nobody := test.account == ""; missing != nobody || listed != nobody {
				t.Errorf("documents missing: %v, listed as unreadable: %v; want both to be %v: %v", missing, listed, nobody, s.Unreadable)
			}
		})
	}
}

// TestOwnerNamedByOneRule: two routes lead to a bucket of an account that nothing leads into, and one rule says whose it is.
func TestOwnerNamedByOneRule(t *testing.T) {
	t.Parallel()
	const stranger = "777788889999"
	for name, late := range map[string]bool{"the one who names it first": false, "the one who names it last": true} {
		c, approved := network(2, 1, 2)
		c.open = map[string]bool{"destination-0": true}
		c.refuse = map[string]string{"s3:tagging": "AccessDenied"}
		c.buckets["destination-0"] = cloudBucket{stranger, destinationRegion, nil}
		for name, account := range map[string]string{"source-0": "", "source-1": stranger} {
			c.buckets[name].documents["replication"] = replicationXML("arn:aws:iam::111122223333:role/replication/r0", "destination-0", account,
				"arn:aws:kms:eu-central-1:444455556666:key/replica-0")
		}
		o := awscloud.ReadOptions{Region: sourceRegion}
		if late { // it takes four rounds to find it
			approved[1].Source.Account, approved[1].Source.Region = destinationAccount, "us-west-2"
			o.Approved = approved[1:]
		}
		var s *snapshot.Snapshot
		synctest.Test(t, func(t *testing.T) {
			a := c.access(both)
			a.Base = a.Direct[sourceAccount]
			var err error
			if s, err = awscloud.NewReader(awscloud.NewAccounts(a), o).Survey(t.Context(), []string{"source-0", "source-1"}); err != nil {
				t.Fatal(err)
			}
		})
		checkSnapshot(t, s)
		if b := s.Buckets["destination-0"].V; b.Account != stranger || b.Versioning.V != "Enabled" {
			t.Errorf("%s: destination of %q", name, b.Account)
		}
		want := []string{"buckets.destination-0.tags", "buckets.source-0.tags", "buckets.source-1.tags"}
		if got := slices.Sorted(maps.Keys(s.Unreadable)); !slices.Equal(got, want) {
			t.Errorf("%s: unreadable %v, want %v", name, got, want)
		}
	}
}

// TestAbsent: what does not exist is null, and not merely not known.
func TestAbsent(t *testing.T) {
	t.Parallel()
	c, approved := network(1, 1, 2)
	delete(c.buckets, "destination-0")
	delete(c.keys, approved[0].ReplicaKey.String())
	c.roles = map[string]cloudRole{"arn:aws:iam::111122223333:role/other/r0": {}} // under another path
	s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Approved: approved}, incident.Object{Key: "gone", VersionID: "v1"})
	if len(s.Unreadable) > 0 {
		t.Errorf("unreadable: %v", s.Unreadable)
	}
	for what, state := range map[string]snapshot.State{
		"destination": s.Buckets["destination-0"].State, "replica key": s.Keys[approved[0].ReplicaKey].State,
		"role": s.Roles[approved[0].Role.ARN].State, "source policy": s.Buckets["source-0"].V.Policy.State,
	} {
		if state != snapshot.Absent {
			t.Errorf("%s: state %d, want absent", what, state)
		}
	}
	if s.Keys[approved[0].SourceKeys[0]].State != snapshot.Present || len(s.Objects) != 0 {
		t.Errorf("source key %v, objects %v", s.Keys[approved[0].SourceKeys[0]].State, s.Objects)
	}

	delete(c.buckets, "source-0")
	s, _ = waited(t, c, c.access(both), awscloud.ReadOptions{}, incident.Object{Key: "gone"})
	if b, ok := s.Buckets["source-0"]; !ok || b.State != snapshot.Absent || len(s.Unreadable) > 0 {
		t.Errorf("source %v, unreadable %v", b.State, s.Unreadable)
	}
}

// TestRefused: what one call is refused is missing and listed, and everything else is there.
func TestRefused(t *testing.T) {
	t.Parallel()
	for operation, path := range map[string]string{
		"s3:policy": "buckets.destination-0.policy", "s3:encryption": "buckets.source-0.encryption", "s3:versioning": "buckets.source-0.versioning",
		"s3:ownershipControls": "buckets.source-0.ownership", "s3:publicAccessBlock": "buckets.source-0.publicAccessBlock",
		"s3:object-lock": "buckets.source-0.objectLock", "s3:requestPayment": "buckets.source-0.requestPayer",
		"s3:notification": "buckets.source-0.notifications", "s3:tagging": "buckets.source-0.tags", "s3:replication": "buckets.source-0.replication",
		"iam:GetRolePolicy": "roles.arn:aws:iam::111122223333:role/replication/r0.inline", "iam:ListRolePolicies": "roles.arn:aws:iam::111122223333:role/replication/r0.inline",
		"iam:ListAttachedRolePolicies": "roles.arn:aws:iam::111122223333:role/replication/r0.attached",
		"iam:GetPolicyVersion":         "roles.arn:aws:iam::111122223333:role/replication/r0.boundary",
		"iam:GetRole":                  "roles.arn:aws:iam::111122223333:role/replication/r0",
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			c, approved := network(1, 1, 2)
			c.refuse = map[string]string{operation: "AccessDenied"}
			s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Approved: approved})
			if why := s.Unreadable[path]; why != "AccessDenied: as the test says" {
				t.Errorf("unreadable[%s] = %q in %v", path, why, s.Unreadable)
			}
			if b := s.Buckets["source-0"].V; b.Account != sourceAccount {
				t.Errorf("the source belongs to %q", b.Account)
			}
		})
	}
}

// TestHeadBucketRefused: who may read documents but not list the bucket has proven the owner, too.
func TestHeadBucketRefused(t *testing.T) {
	t.Parallel()
	c, approved := network(1, 1, 2)
	c.refuse = map[string]string{"s3:head": "AccessDenied"}
	s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Approved: approved})
	if b := s.Buckets["destination-0"].V; b.Account != destinationAccount || b.Policy.State != snapshot.Present {
		t.Errorf("destination of %q, policy %d", b.Account, b.Policy.State)
	}
}

// TestMemberRefuses: nobody may enter the destination's account. All of it is unreadable, and the rest is there.
func TestMemberRefuses(t *testing.T) {
	t.Parallel()
	c, approved := network(1, 1, 2)
	c.closed = map[string]bool{destinationAccount: true}
	s, _ := waited(t, c, c.access(nil, members()...), awscloud.ReadOptions{Approved: approved})
	b := s.Buckets["destination-0"].V
	if b.Account != "" || b.Policy.State != snapshot.Missing {
		t.Errorf("destination of %q, policy %d: nothing of it can be known", b.Account, b.Policy.State)
	}
	if _, ok := s.Keys[approved[0].ReplicaKey]; ok {
		t.Error("the replica key is there")
	}
	const why = "AccessDenied: not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/replimend/replimend-reader"
	for _, path := range []string{"buckets.destination-0.account", "buckets.destination-0.policy", "keys." + approved[0].ReplicaKey.String()} {
		if s.Unreadable[path] != why {
			t.Errorf("unreadable[%s] = %q, want %q", path, s.Unreadable[path], why)
		}
	}
	for path := range s.Unreadable {
		if !strings.Contains(path, "destination-0") && !strings.Contains(path, destinationAccount) {
			t.Errorf("%s is unreadable, too", path)
		}
	}
	if s.Roles[approved[0].Role.ARN].V.Inline.State != snapshot.Present || s.Keys[approved[0].SourceKeys[0]].V.State != "Enabled" {
		t.Error("role and source key are not read")
	}
	if asked := c.calls["s3:head destination-0/"]; asked > 0 {
		t.Errorf("others were asked %d times for a bucket of the account that refuses", asked)
	}
	if asked, _ := c.counted("sts:AssumeRole"); asked != 2 {
		t.Errorf("roles were assumed %d times, want once for each account", asked)
	}
}

// TestNamesFromOutside: whoever may write a replication rule may write anything into it. Nothing of it becomes a host, a path or an
// access point.
func TestNamesFromOutside(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ role, destination, key, path string }{
		{role: "arn:aws-cn:iam::111122223333:role/r0", destination: "arn:aws:s3:eu-west-1:999900009999:accesspoint/x", key: "x", path: "buckets.accesspoint/x"},
		{role: "not an arn", destination: "x/../y?policy", key: "x", path: "buckets.x/../y?policy"},
		{role: "not an arn", destination: "destination-0", key: "arn:aws:kms:evil.example/:444455556666:key/x", path: "keys.arn:aws:kms:evil.example/:444455556666:key/x"},
		{role: "arn:aws:iam::1:role/x", destination: "destination-0", key: "arn:aws:s3:::x", path: "keys.arn:aws:s3:::x"},
		{role: "not an arn", destination: "destination-0", key: "arn:aws-cn:kms:eu-central-1:444455556666:key/x", path: "keys.arn:aws-cn:kms:eu-central-1:444455556666:key/x"},
		{role: "arn:aws-cn:iam::111122223333:role/r0", destination: "destination-0", key: "x", path: "roles.arn:aws-cn:iam::111122223333:role/r0"},
	} {
		c, _ := network(1, 1, 2)
		destination := test.destination
		c.buckets["source-0"].documents["replication"] = strings.ReplaceAll(replicationXML(test.role, "DESTINATION", "", test.key), "arn:aws:s3:::DESTINATION", destination)
		s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Region: sourceRegion})
		if why := s.Unreadable[test.path]; !strings.HasPrefix(why, "Unusable: ") {
			t.Errorf("unreadable[%s] = %q in %v", test.path, why, s.Unreadable)
		}
		if len(s.Roles) > 0 {
			t.Errorf("roles %v", s.Roles)
		}
	}
}

// TestAliases: an alias is resolved in the account and Region that it is meant in, and a key id becomes that account's ARN.
func TestAliases(t *testing.T) {
	t.Parallel()
	const (
		here  = "arn:aws:kms:eu-central-1:111122223333:key/here"
		there = "arn:aws:kms:eu-central-1:444455556666:key/there"
		s3Key = "arn:aws:kms:eu-central-1:444455556666:key/s3"
	)
	for text, want := range map[string]string{
		"alias/k": here, // the requester's account, in the destination's Region
		"arn:aws:kms:eu-central-1:444455556666:alias/k": there,
		"here": here,
		here:   here,
	} {
		c, _ := network(1, 1, 2)
		c.keys[here], c.keys[there], c.keys[s3Key] = cloudKey{"Enabled", anyPolicy}, cloudKey{"Enabled", anyPolicy}, cloudKey{"Enabled", anyPolicy}
		c.aliases = map[string]string{
			"arn:aws:kms:eu-central-1:111122223333:alias/k":      here,
			"arn:aws:kms:eu-central-1:444455556666:alias/k":      there,
			"arn:aws:kms:eu-central-1:444455556666:alias/aws/s3": s3Key,
		}
		c.buckets["source-0"].documents["replication"] = replicationXML("arn:aws:iam::111122223333:role/replication/r0", "destination-0", "", text)
		c.buckets["destination-0"].documents["encryption"] = strings.ReplaceAll(encryptionXML(""), "<KMSMasterKeyID></KMSMasterKeyID>", "")
		s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Region: sourceRegion})
		got := make(map[string]string)
		for arn, key := range s.Keys {
			got[arn.String()] = strings.Join(key.V.Aliases.V, " ")
		}
		expected := map[string]string{
			"arn:aws:kms:eu-west-1:111122223333:key/source-0": "", s3Key: "alias/aws/s3", want: "alias/k",
		}
		if !maps.Equal(got, expected) || len(s.Unreadable) > 0 {
			t.Errorf("%s: keys %v, want %v; unreadable %v", text, got, expected, s.Unreadable)
		}
	}
}

// TestRoleOfAnotherAccount: IAM answers for the account of the caller. Where nothing leads into the role's account, a role of that
// name in the caller's own is not the one, and that it has none does not say that the other has none.
func TestRoleOfAnotherAccount(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::777788889999:role/replication/r0"
	for name, own := range map[string]map[string]cloudRole{
		"a role of that name": {"arn:aws:iam::999900009999:role/replication/r0": {}}, "no such role": {},
	} {
		c, _ := network(1, 1, 2)
		c.roles = own
		c.buckets["source-0"].documents["replication"] = replicationXML(role, "destination-0", "", "arn:aws:kms:eu-central-1:444455556666:key/replica-0")
		s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Region: sourceRegion})
		if _, ok := s.Roles[arn(role)]; ok || s.Unreadable["roles."+role] != "Unusable: no credentials lead into account 777788889999" {
			t.Errorf("%s: roles %v, unreadable %v", name, s.Roles, s.Unreadable)
		}
		r := awscloud.NewReader(awscloud.NewAccounts(c.access(both)), awscloud.ReadOptions{})
		if got, _, err := r.Replicating(t.Context(), "777788889999"); err == nil {
			t.Errorf("%s: replicating %v, of an account that nothing leads into", name, got)
		}
	}
}

// TestUnreadableDocuments: a policy that is not understood is not read by half.
func TestUnreadableDocuments(t *testing.T) {
	t.Parallel()
	c, approved := network(1, 1, 2)
	const broken = `{"Statement":[{"Effect":"Perhaps","Action":"s3:*","Resource":"*"}]}`
	c.buckets["destination-0"].documents["policy"] = broken
	c.keys[approved[0].ReplicaKey.String()] = cloudKey{"Enabled", broken}
	c.policies["arn:aws:iam::111122223333:policy/replication"] = []string{broken}
	s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Approved: approved})
	role := s.Roles[approved[0].Role.ARN].V
	if s.Buckets["destination-0"].V.Policy.State != snapshot.Missing || s.Keys[approved[0].ReplicaKey].V.Policy.State != snapshot.Missing ||
		role.Attached.State != snapshot.Missing || role.Inline.State != snapshot.Present {
		t.Errorf("read: %s", s.Indent())
	}
	for _, path := range []string{"buckets.destination-0.policy", "keys." + approved[0].ReplicaKey.String() + ".policy", "roles." + approved[0].Role.ARN.String() + ".attached"} {
		if why := s.Unreadable[path]; !strings.HasPrefix(why, "Unusable: ") || !strings.Contains(why, "Perhaps") {
			t.Errorf("unreadable[%s] = %q", path, why)
		}
	}
}

// broken is a cloud to which connections break when they ask for an object.
type broken struct{ *cloud }

func (b broken) Do(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "passport") {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: io.ErrUnexpectedEOF}
	}
	return b.cloud.Do(r)
}

// TestUnreadableNamesNoKey: why an object could not be read is shown to everybody, and its key is not.
func TestUnreadableNamesNoKey(t *testing.T) {
	t.Parallel()
	c, approved := network(1, 1, 2)
	access := c.access(both)
	for account, cfg := range access.Direct {
		cfg.HTTPClient = broken{c}
		access.Direct[account] = cfg
	}
	s, _ := waited(t, c, access, awscloud.ReadOptions{Approved: approved, Region: sourceRegion},
		incident.Object{Key: "jane-doe-passport.pdf", VersionID: "v1"})
	if why := s.Unreadable["objects[0].replicationStatus"]; why != "Unanswered: unexpected EOF" {
		t.Errorf("unreadable: %q", s.Unreadable)
	}
}

// TestSamples: the heads of what failed, and the keys that they have, which are not the bucket's.
func TestSamples(t *testing.T) {
	t.Parallel()
	const old = "arn:aws:kms:eu-west-1:111122223333:key/old"
	c, approved := network(1, 1, 2)
	c.keys[old] = cloudKey{"PendingDeletion", anyPolicy}
	c.buckets["source-0"].documents["ownershipControls"] = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"
	c.objects = map[string]http.Header{
		"source-0/a b+ü": {
			"X-Amz-Replication-Status": {"FAILED"}, "X-Amz-Server-Side-Encryption": {"aws:kms"}, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": {old},
			"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": {"true"}, "X-Amz-Storage-Class": {"GLACIER"}, "Content-Length": {"42"},
		},
		"source-0/own":    {"X-Test-Status": {"400"}},
		"source-0/plain":  {"X-Amz-Replication-Status": {"COMPLETE"}, "Content-Length": {"1"}},
		"source-0/marker": {"X-Amz-Delete-Marker": {"true"}, "X-Amz-Version-Id": {"v3"}},
	}
	for _, hints := range [][]settings.ApprovedRoute{nil, approved} {
		s, rounds := waited(t, c, c.access(both), awscloud.ReadOptions{Approved: hints, Region: sourceRegion},
			incident.Object{Key: "a b+ü", VersionID: "v1", Size: 7}, incident.Object{Key: "a b+ü", VersionID: "v1"},
			incident.Object{Key: "plain", VersionID: "v2"}, incident.Object{Key: "marker", VersionID: "v3"}, incident.Object{Key: "gone", VersionID: "v4"},
			incident.Object{Key: "own", VersionID: "v5", Size: 2})
		got, err := json.Marshal(s.Objects)
		if err != nil {
			t.Fatal(err)
		}
		want := `[{"bucket":"source-0","key":"a b+ü","versionId":"v1","replicationStatus":"FAILED","encryption":"aws:kms","kmsKeyId":"` + old + `",` +
			`"bucketKey":true,"storageClass":"GLACIER","owner":"111122223333","size":42,"deleteMarker":false,"tags":{}},` +
			`{"bucket":"source-0","key":"plain","versionId":"v2","replicationStatus":"COMPLETED","encryption":null,"bucketKey":false,"storageClass":"STANDARD","owner":"111122223333","size":1,"deleteMarker":false,"tags":{}},` +
			`{"bucket":"source-0","key":"marker","versionId":"v3","encryption":null,"bucketKey":false,"owner":"111122223333","size":0,"deleteMarker":true,"tags":{}},` +
			`{"bucket":"source-0","key":"own","versionId":"v5","bucketKey":false,"owner":"111122223333","size":2,"deleteMarker":false}]`
		if string(got) != want {
			t.Errorf("objects\n%s\nwant\n%s", got, want)
		}
		if why := s.Unreadable["objects[3].encryption"]; !strings.HasPrefix(why, "Unusable: S3 shows the tags and not the head, as of an object that is encrypted with a customer's key (SSE-C)") {
			t.Errorf("unreadable: %q", why)
		}
		if s.Keys[arn(old)].V.State != "PendingDeletion" {
			t.Error("the key of the sample is not read")
		}
		if rounds > 3 {
			t.Errorf("%d rounds", rounds)
		}
	}
}

// TestSamplesThatNobodyMayRead keep what the event said, and are not taken for objects without encryption.
func TestSamplesThatNobodyMayRead(t *testing.T) {
	t.Parallel()
	c, approved := network(1, 1, 2)
	c.refuse = map[string]string{"s3:head": "AccessDenied"}
	var samples []incident.Object
	for i := range snapshot.MaxObjects + 5 {
		samples = append(samples, incident.Object{Key: fmt.Sprintf("k%d", i), VersionID: "v", Size: 3})
	}
	s, _ := waited(t, c, c.access(both), awscloud.ReadOptions{Approved: approved}, samples...)
	if len(s.Objects) != snapshot.MaxObjects {
		t.Fatalf("%d objects", len(s.Objects))
	}
	if o := s.Objects[3]; o.Key != "k3" || o.Size != 3 || o.Encryption.State != snapshot.Missing || o.ReplicationStatus.State != snapshot.Missing {
		t.Errorf("object %+v", o)
	}
	if why := s.Unreadable["objects[3].encryption"]; !strings.HasPrefix(why, "Forbidden") {
		t.Errorf("unreadable: %q", why)
	}
}

// TestCancelled: nothing half read is handed out as a snapshot.
func TestCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, approved := network(100, 5, 10)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		s, err := awscloud.NewReader(awscloud.NewAccounts(c.access(both)), awscloud.ReadOptions{Approved: approved}).Survey(ctx, sources(approved))
		if s != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("snapshot %v, error %v", s != nil, err)
		}
	})
}
