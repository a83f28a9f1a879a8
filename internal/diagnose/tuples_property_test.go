package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// A bystander is a request that no edit may decide otherwise than before: it differs from what the edit lists in its principal,
// its action, its resource or its conditions.
func drawBystander(t *rapid.T, e patch.Edit) authz.Request {
	tuple := rapid.SampledFrom(e.Adds).Draw(t, "tuple")
	q := authz.Request{Action: tuple[1], Resource: exactly(tuple[2])}
	role, err := policy.ParseARN(tuple[0])
	if err != nil { // a service, in a trust policy
		q.Principal = authz.Principal{Kind: authz.Service, Name: tuple[0]}
	} else {
		q.Principal = authz.SessionOf(role, "s3-replication", "AROAEXAMPLEREPLICATN")
	}
	q.ResourceAccount = e.Account
	q.Context.Set("kms:ViaService", "s3."+q.Resource.Region+".amazonaws.com")
	q.Context.Set("kms:EncryptionContext:aws:s3:arn", "arn:aws:s3:::amzn-s3-demo-source")
	if q.Resource.Region == "eu-west-1" {
		q.Context.Set("kms:EncryptionContext:aws:s3:arn", "arn:aws:s3:::amzn-s3-demo-destination")
	}
	other := []string{"action"}
	if e.Document.Kind != snapshot.RolePolicy {
		other = append(other, "principal")
	}
	isKey := strings.HasPrefix(tuple[1], "kms:")
	switch {
	case isKey && e.Document.Kind == snapshot.RolePolicy:
		other = append(other, "resource", "service", "context")
	case isKey:
		other = append(other, "service", "context")
	case e.Document.Kind != snapshot.RoleTrust:
		other = append(other, "resource")
	}
	switch rapid.SampledFrom(other).Draw(t, "difference") {
	case "action":
		q.Action = rapid.SampledFrom([]string{
			"kms:CreateGrant", "kms:ReEncryptFrom", "kms:DescribeKey", "kms:PutKeyPolicy", "s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy",
			"s3:PutBucketVersioning", "s3:ReplicateObjects", "sts:TagSession", "iam:PassRole",
		}).Draw(t, "action")
	case "principal":
		q.Principal = rapid.SampledFrom([]authz.Principal{
			authz.SessionOf(arn("arn:aws:iam::111122223333:role/service-role/replication2"), "s3-replication", ""),
			authz.SessionOf(arn("arn:aws:iam::111122223333:role/replication"), "s3-replication", ""),
			authz.SessionOf(arn("arn:aws:iam::999900001111:role/service-role/replication"), "s3-replication", ""),
			{Kind: authz.Root, ARN: arn("arn:aws:iam::111122223333:root"), Account: "111122223333"},
			{Kind: authz.Service, Name: "lambda.amazonaws.com"},
			{Kind: authz.Service, Name: "batchoperations.s3.amazonaws.com"},
			{Kind: authz.Anonymous},
		}).Draw(t, "principal")
	case "resource":
		q.Resource = rapid.SampledFrom([]policy.ARN{
			arn("arn:aws:s3:::amzn-s3-demo-other/any-object"), arn("arn:aws:s3:::amzn-s3-demo-destination2/any-object"),
			arn("arn:aws:s3:::amzn-s3-demo-other"), arn("arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000"),
			{Partition: "aws-iso", Service: q.Resource.Service, Region: q.Resource.Region, Account: q.Resource.Account, Resource: q.Resource.Resource},
		}).Draw(t, "resource")
	case "service":
		q.Context.Set("kms:ViaService", rapid.SampledFrom([]string{"s3.sa-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com"}).Draw(t, "service"))
	case "context":
		q.Context.Set("kms:EncryptionContext:aws:s3:arn", rapid.SampledFrom([]string{
			"arn:aws:s3:::amzn-s3-demo-other", "arn:aws:s3:::amzn-s3-demo-other/a.txt", "arn:aws:s3:::amzn-s3-demo-source2/a.txt",
		}).Draw(t, "context"))
	}
	return q
}

// exactly is one resource under a pattern that an edit lists.
func exactly(pattern string) policy.ARN {
	out := arn(strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$").Replace(strings.TrimSuffix(pattern, "*")))
	if strings.HasSuffix(pattern, "*") {
		out.Resource += "any-object"
	}
	return out
}

func arn(s string) policy.ARN {
	a, err := policy.ParseARN(s)
	if err != nil {
		panic(err) // a literal of this file, or one that a plan lists
	}
	return a
}

// decideBy decides a request by one document and an account that allows everything else.
func decideBy(d snapshot.Value[policy.Document], kind snapshot.Kind, q authz.Request) authz.Outcome {
	var l authz.Layers
	var own *authz.Policy
	if v, ok := d.Get(); ok {
		own = authz.Compile("own", v)
	}
	if kind == snapshot.RolePolicy {
		if q.ResourceAccount = q.Principal.Account; own != nil {
			l.Identity = []*authz.Policy{own}
		}
		if q.Resource.Service == "kms" {
			l.Resource = delegating
		}
	} else {
		l.Resource, l.Identity = own, []*authz.Policy{allowAll}
		if q.ResourceAccount == q.Principal.Account {
			q.ResourceAccount = "555566667777" // so that the resource's policy has to allow
		}
	}
	return authz.Decide(&q, &l).Outcome
}

var (
	allowAll   = compiled(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}`)
	delegating = compiled(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "*", "Resource": "*"}]}`)
)

func compiled(text string) *authz.Policy {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return authz.Compile("test", d)
}

func TestEditsDecideNothingThatTheyDoNotList(t *testing.T) {
	checkPlans(t, func(t *rapid.T, _ *snapshot.Snapshot, _ int, r diagnose.Route) {
		for _, e := range r.Plan.Edits {
			q := drawBystander(t, e)
			before, after := decideBy(e.Before, e.Document.Kind, q), decideBy(e.After, e.Document.Kind, q)
			if before != after {
				t.Errorf("%s: %s by %s on %s was %s and is %s", e.Document, q.Action, q.Principal, q.Resource, before, after)
			}
		}
	})
}

func TestEditsListWhatTheyAdd(t *testing.T) {
	checkPlans(t, func(t *rapid.T, _ *snapshot.Snapshot, _ int, r diagnose.Route) {
		for _, e := range r.Plan.Edits {
			var got []patch.Tuple
			for _, s := range e.After.V.Statements[len(e.Before.V.Statements):] {
				for _, action := range s.Action.Values {
					tuple := patch.Tuple{r.Role, action, e.Document.ID}
					if s.Principal != nil {
						tuple[0] = s.Principal.Values[0].Value
					}
					if len(s.Resource.Values) > 0 && s.Resource.Values[0] != "*" {
						tuple[2] = s.Resource.Values[0]
					}
					if !slices.Contains(got, tuple) {
						got = append(got, tuple)
					}
				}
			}
			for _, tuple := range got {
				if !slices.Contains(e.Adds, tuple) {
					t.Errorf("%s adds %v and does not list it", e.Document, tuple)
				}
				if strings.Contains(tuple[1], "*") || strings.Contains(tuple[0], "*") || tuple[2] == "*" {
					t.Errorf("%s adds the wildcard %v", e.Document, tuple)
				}
			}
			if len(got) != len(e.Adds) {
				t.Errorf("%s lists %v and adds %v", e.Document, e.Adds, got)
			}
		}
	})
}
