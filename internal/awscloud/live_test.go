package awscloud_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestOrganization reads guardrails level by level, and holds the table of needs against every call that a Reader makes.
func TestOrganization(t *testing.T) {
	t.Parallel()
	m := mototest.Start(t)
	management := m.Account()
	cfg := m.Config(t, management, sourceRegion)
	c := organizations.NewFromConfig(cfg)
	org, err := c.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{FeatureSet: orgtypes.OrganizationFeatureSetAll})
	must(org, err)(t)
	roots, err := c.ListRoots(t.Context(), &organizations.ListRootsInput{})
	must(roots, err)(t)
	root := roots.Roots[0].Id
	enable(t, c, root, orgtypes.PolicyTypeServiceControlPolicy)
	unit, err := c.CreateOrganizationalUnit(t.Context(), &organizations.CreateOrganizationalUnitInput{ParentId: root, Name: aws.String("data")})
	must(unit, err)(t)
	made, err := c.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String("member"), Email: aws.String("a@example.com")})
	must(made, err)(t)
	member := aws.ToString(made.CreateAccountStatus.AccountId)
	must(c.MoveAccount(t.Context(), &organizations.MoveAccountInput{AccountId: &member, SourceParentId: root, DestinationParentId: unit.OrganizationalUnit.Id}))(t)
	for sid, target := range map[string]*string{"Root": root, "Unit": unit.OrganizationalUnit.Id, "Account": &member} {
		scp, err := c.CreatePolicy(t.Context(), &organizations.CreatePolicyInput{
			Name: &sid, Description: aws.String("-"), Type: orgtypes.PolicyTypeServiceControlPolicy,
			Content: aws.String(`{"Version":"2012-10-17","Statement":[{"Sid":"` + sid + `","Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}]}`),
		})
		must(scp, err)(t)
		must(c.AttachPolicy(t.Context(), &organizations.AttachPolicyInput{PolicyId: scp.Policy.PolicySummary.Id, TargetId: target}))(t)
	}

	bucket := m.Name(t, "guarded")
	address := strict(t, m, map[string]string{bucket: member, bucket + "-m": management})
	cfg = m.ConfigAt(t, address, management, sourceRegion)
	in := m.ConfigAt(t, address, member, sourceRegion)
	makeBucket(t, in, bucket)
	access := awscloud.Access{Base: cfg, Direct: map[string]aws.Config{management: cfg, member: in}}
	r := awscloud.NewReader(awscloud.NewAccounts(access), awscloud.ReadOptions{Guardrails: true, Region: sourceRegion})
	s, err := r.Snapshot(t.Context(), bucket, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Organization == nil || s.Organization.ID != aws.ToString(org.Organization.Id) || !slices.Contains(s.Organization.Accounts, member) || len(s.Organization.Accounts) != 2 {
		t.Errorf("organization %+v", s.Organization)
	}
	g := s.Guardrails[member]
	var sids []string
	for _, level := range g.SCPs.V {
		for _, d := range level {
			if sid := d.Statements[0].Sid; sid != "" { // not that of FullAWSAccess
				sids = append(sids, sid)
			}
		}
	}
	if !slices.Equal(sids, []string{"Root", "Unit", "Account"}) || len(g.SCPs.V) != 3 {
		t.Errorf("SCPs of %d levels: %v, want those from the root to the account", len(g.SCPs.V), sids)
	}
	if g.RCPs.State != snapshot.Absent {
		t.Errorf("RCPs %v, want none: their type is not enabled", g.RCPs)
	}

	enable(t, c, root, orgtypes.PolicyTypeResourceControlPolicy)
	makeBucket(t, cfg, bucket+"-m")
	s, err = r.Survey(t.Context(), []string{bucket + "-m", bucket})
	if err != nil {
		t.Fatal(err)
	}
	if g := s.Guardrails[member]; len(g.RCPs.V) != 3 {
		t.Errorf("RCPs %v, want three levels", g.RCPs)
	}
	if g := s.Guardrails[management]; g.SCPs.State != snapshot.Absent || g.RCPs.State != snapshot.Absent {
		t.Errorf("guardrails of the management account: %+v, want none", g)
	}
	needs(t, "organizations:", r.Calls())

	t.Run("without a way into the member", func(t *testing.T) {
		other := m.Account() // of another organization
		must(organizations.NewFromConfig(m.Config(t, other, sourceRegion)).CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{}))(t)
		for _, test := range []struct {
			base           string
			into           []string // accounts
			scps           snapshot.State
			organization   bool
			accountsListed int
		}{
			{base: management, scps: snapshot.Present, organization: true, accountsListed: 2},
			{base: other, scps: snapshot.Missing},
			{base: other, into: []string{member}, scps: snapshot.Missing, organization: true},
		} {
			access := awscloud.Access{Base: m.ConfigAt(t, address, test.base, sourceRegion), Direct: make(map[string]aws.Config)}
			for _, account := range test.into {
				access.Direct[account] = m.ConfigAt(t, address, account, sourceRegion)
			}
			o := awscloud.ReadOptions{Guardrails: true, Region: sourceRegion, Approved: []settings.ApprovedRoute{
				{Source: settings.Bucket{Bucket: bucket, Account: member, Region: sourceRegion}, Role: settings.Role{ARN: arn("arn:aws:iam::" + member + ":role/r")}},
			}}
			s, err := awscloud.NewReader(awscloud.NewAccounts(access), o).Snapshot(t.Context(), bucket, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkSnapshot(t, s)
			if got := s.Guardrails[member].SCPs; got.State != test.scps {
				t.Errorf("SCPs %v, want state %d: %v", got, test.scps, s.Unreadable)
			}
			var listed []string
			if s.Organization != nil {
				listed = s.Organization.Accounts
			}
			if (s.Organization != nil) != test.organization || len(listed) != test.accountsListed {
				t.Errorf("organization %v", s.Organization)
			}
		}
	})
	t.Run("without an organization", func(t *testing.T) {
		alone := m.Account()
		cfg, bucket := m.Config(t, alone, sourceRegion), m.Name(t, "alone")
		makeBucket(t, cfg, bucket)
		s, err := awscloud.NewReader(awscloud.NewAccounts(awscloud.Access{Base: cfg}), awscloud.ReadOptions{Guardrails: true}).Snapshot(t.Context(), bucket, nil)
		if err != nil {
			t.Fatal(err)
		}
		if g, ok := s.Guardrails[alone]; !ok || g.SCPs.State != snapshot.Absent || g.RCPs.State != snapshot.Absent || s.Organization != nil {
			t.Errorf("guardrails %+v, organization %v", g, s.Organization)
		}
	})
	t.Run("refused", func(t *testing.T) {
		address := m.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ListRoots") {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"AccessDeniedException","Message":"You don't have permissions to access this resource."}`))
			return true
		})
		cfg := m.ConfigAt(t, address, management, sourceRegion)
		access := awscloud.Access{Base: cfg, Direct: map[string]aws.Config{member: m.ConfigAt(t, address, member, sourceRegion)}}
		s, err := awscloud.NewReader(awscloud.NewAccounts(access), awscloud.ReadOptions{Guardrails: true}).Snapshot(t.Context(), bucket, nil)
		if err != nil {
			t.Fatal(err)
		}
		const why = "AccessDeniedException: You don't have permissions to access this resource."
		if s.Guardrails[member].SCPs.State != snapshot.Missing || s.Unreadable["guardrails."+member+".scps"] != why || s.Unreadable["guardrails."+member+".rcps"] != why {
			t.Errorf("guardrails %+v, unreadable %v", s.Guardrails[member], s.Unreadable)
		}
		checkSnapshot(t, s)
	})
}

func enable(t *testing.T, c *organizations.Client, root *string, of orgtypes.PolicyType) {
	t.Helper()
	must(c.EnablePolicyType(t.Context(), &organizations.EnablePolicyTypeInput{RootId: root, PolicyType: of}))(t)
}

func makeBucket(t *testing.T, cfg aws.Config, name string) {
	t.Helper()
	must(client(cfg).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: sourceRegion}}))(t)
}

// TestNeeds holds the table of needs against every call that a Reader makes, but those to organizations: see TestOrganization.
func TestNeeds(t *testing.T) {
	t.Parallel()
	w := newMoto(t)
	all := make(map[string]int)
	for _, access := range []awscloud.Access{w.access(), {Base: w.in}} {
		r := awscloud.NewReader(awscloud.NewAccounts(access), awscloud.ReadOptions{Region: sourceRegion})
		must(r.Snapshot(t.Context(), w.source, []incident.Object{{Key: "reports/1 ü.txt", VersionID: w.version}}))(t)
		buckets, unread, err := r.Replicating(t.Context(), w.a)
		if err != nil || !slices.Equal(buckets, []string{w.source}) || len(unread) > 0 {
			t.Errorf("replicating: %v, unread %v, %v", buckets, unread, err)
		}
		maps.Copy(all, r.Calls())
	}
	for _, service := range []string{"s3:", "iam:", "kms:", "sts:"} {
		needs(t, service, all)
	}
}

// needs compares the operations of a service that were called with those that the table has.
func needs(t *testing.T, service string, calls map[string]int) {
	t.Helper()
	var called, declared []string
	for operation := range calls {
		if strings.HasPrefix(operation, service) {
			called = append(called, operation)
		}
	}
	for _, n := range awscloud.ReadNeeds() {
		if strings.HasPrefix(n.Operation, service) {
			declared = append(declared, n.Operation)
		}
		if prefix, _, ok := strings.Cut(n.Action, ":"); !ok || !strings.HasPrefix(n.Operation, prefix+":") || n.Why == "" {
			t.Errorf("%s needs %q, because %q", n.Operation, n.Action, n.Why)
		}
	}
	slices.Sort(called)
	slices.Sort(declared)
	if !slices.Equal(called, declared) {
		t.Errorf("called   %v\ndeclared %v", called, declared)
	}
}

// TestReplicating: the list has pages, buckets are in many Regions, and what is refused is named.
func TestReplicating(t *testing.T) {
	t.Parallel()
	c, _ := network(9, 1, 2)
	c.wait = 0
	for name, region := range map[string]string{"source-3": "ap-south-1", "source-4": "us-east-1"} {
		b := c.buckets[name]
		b.region = region
		c.buckets[name] = b
	}
	c.buckets["nowhere"] = cloudBucket{sourceAccount, "sa-east-1", c.buckets["source-0"].documents}
	c.buckets["plain"] = cloudBucket{sourceAccount, sourceRegion, nil}
	r := awscloud.NewReader(awscloud.NewAccounts(c.access(both)), awscloud.ReadOptions{Region: sourceRegion})
	got, unread, err := r.Replicating(t.Context(), sourceAccount)
	want := []string{"nowhere", "source-0", "source-1", "source-2", "source-3", "source-4", "source-5", "source-6", "source-7", "source-8"}
	if err != nil || !slices.Equal(got, want) || len(unread) > 0 {
		t.Errorf("replicating %v, unread %v, %v", got, unread, err)
	}
	before, _ := c.counted("s3:head")
	if _, err := r.Survey(t.Context(), []string{"nowhere"}); err != nil {
		t.Fatal(err)
	}
	if all, _ := c.counted("s3:head"); all-before != 2 {
		t.Errorf("%d buckets were asked for their owner or Region, want the source and the destination once each: the list said where", all-before)
	}

	c.refuse = map[string]string{"s3:replication": "AccessDenied"}
	got, unread, err = r.Replicating(t.Context(), sourceAccount)
	if err != nil || len(got) != 0 || len(unread) != 11 || unread["source-4"] != "AccessDenied: as the test says" {
		t.Errorf("replicating %v, unread %v, %v", got, unread, err)
	}
	c.closed = map[string]bool{sourceAccount: true}
	r = awscloud.NewReader(awscloud.NewAccounts(c.access(nil, members()...)), awscloud.ReadOptions{Region: sourceRegion})
	if _, _, err := r.Replicating(t.Context(), sourceAccount); !awserr.Is(err, awserr.Denied) {
		t.Errorf("error %v, want one that says who refused", err)
	}
}

// TestBucketsOfARegion are listed where they are, and of some names those that replicate are found.
func TestBucketsOfARegion(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	account := s.Account()
	near, far := client(s.Config(t, account, "us-east-1")), client(s.Config(t, account, "eu-west-1"))
	here, there := s.Name(t, "here"), s.Name(t, "there")
	if _, err := near.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &here}); err != nil {
		t.Fatal(err)
	}
	_, err := far.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &there, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := awscloud.NewReader(awscloud.NewAccounts(awscloud.Access{Base: s.Config(t, account, "us-east-1")}), awscloud.ReadOptions{})
	for region, want := range map[string][]string{"us-east-1": {here}, "eu-west-1": {there}, "us-west-2": {}} {
		if got, err := r.Buckets(t.Context(), account, region); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s has %v, %v, want %v", region, got, err, want)
		}
	}
	if _, err := r.Buckets(t.Context(), "777788889999", "us-east-1"); err == nil {
		t.Error("listed an account that no credentials lead into")
	}
	if got, unread, err := r.ReplicatingOf(t.Context(), account, "us-east-1", []string{here, "not-there-at-all"}); err != nil || len(got)+len(unread) > 0 {
		t.Errorf("replicating %v, unread %v, %v", got, unread, err)
	}
}
