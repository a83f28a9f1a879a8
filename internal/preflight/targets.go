package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// What a need can be about besides an ARN.
const (
	anything  = "*"
	aRole     = "role"
	aKey      = "key"
	aBucket   = "bucket"
	anObject  = "object"
	ownRegion = "${MemberRegion}"
)

// What a need can be about that is about canaries, of routes that opt in to them: the object in the source bucket and its replica, the
// source bucket, and the keys of the source's objects, whichever account they are in.
const (
	CanarySource      = "canary source"
	CanaryDestination = "canary destination"
	CanaryBucket      = "canary bucket"
	CanaryKey         = "canary key"
)

// anyCanary stands for the ID of an incident, which ends the key of a canary.
const anyCanary = "inc-00000000000000000000"

// updateTrust is the one action for which a route has to opt in beside its mode.
const updateTrust = "iam:UpdateAssumeRolePolicy"

// Target is one thing that a need is about.
type Target struct {
	ARN  policy.ARN // one resource to ask about; zero for actions that know no resource
	Text string     // as a policy names it
}

// Wants says whether a route has to do with the need. Whatever was approved is read; what is not to be acted on is not written.
func (n Need) Wants(r settings.ApprovedRoute) bool {
	switch {
	case n.Role == settings.Reader:
		return true
	case !r.Mode.Acts():
		return false
	case n.Role == settings.CanaryWriter:
		return r.Allow.Canary
	case n.Action == updateTrust:
		return r.Allow.RoleTrust
	}
	return true
}

// Targets is everything of an account that the need is about, each once, in the order of the routes. Home is the Region of kill
// switches in an account that is no member. The error is of a need that names no resource.
func (n Need) Targets(set *settings.Settings, account, home string) ([]Target, error) {
	var out []Target
	one := func(of string, arn policy.ARN) {
		if of == account && !arn.IsZero() {
			out = add(out, Target{arn, arn.String()})
		}
	}
	below := func(b settings.Bucket, prefix, name string) {
		if partition := policy.Partition(b.Region); b.Account == account {
			out = add(out, Target{
				policy.ObjectARN(partition, b.Bucket, prefix+name),
				policy.ObjectARN(partition, b.Bucket, policy.Literal(prefix)+"*").String(),
			})
		}
	}
	if n.Resource == anything {
		return []Target{{Text: anything}}, nil
	}
	m, member := set.Member(account)
	if member {
		home = m.Regions[0]
	}
	if strings.Contains(n.Resource, ownRegion) {
		t, err := n.fill(account, home, settings.Bucket{})
		return []Target{t}, err
	}
	for _, r := range set.Routes {
		if !n.Wants(r) {
			continue
		}
		partition := r.Role.ARN.Partition
		switch n.Resource {
		case aRole:
			one(r.Role.ARN.Account, r.Role.ARN)
		case aKey:
			for _, key := range append(slices.Clone(r.SourceKeys), r.ReplicaKey) {
				one(key.Account, key)
			}
		case aBucket:
			one(r.Source.Account, policy.BucketARN(partition, r.Source.Bucket))
			one(r.Destination.Account, policy.BucketARN(partition, r.Destination.Bucket))
		case anObject:
			below(r.Source, r.Rule.Prefix, "object")
			below(r.Destination, r.Rule.Prefix, "object")
		case CanarySource:
			below(r.Source, r.Rule.Prefix+settings.CanaryPrefix, anyCanary)
		case CanaryDestination:
			below(r.Destination, r.Rule.Prefix+settings.CanaryPrefix, anyCanary)
		case CanaryBucket:
			one(r.Source.Account, policy.BucketARN(partition, r.Source.Bucket))
		case CanaryKey:
			for _, key := range r.SourceKeys {
				one(r.Source.Account, key)
			}
		default:
			if r.Source.Account != account {
				continue
			}
			t, err := n.fill(account, home, r.Source)
			if err != nil {
				return nil, err
			}
			out = add(out, t)
		}
	}
	return out, nil
}

// Sample is the keys that a call about a target carries, of those that the need has conditions on. A star is the target's Region where
// it has one, and nothing elsewhere.
func (n Need) Sample(t Target) map[string]string {
	out := map[string]string{}
	for _, c := range n.Conditions {
		out[c.Key] = strings.ReplaceAll(c.Values[0], "*", t.ARN.Region)
	}
	return out
}

// fill replaces what stands for something of a source.
func (n Need) fill(account, home string, source settings.Bucket) (Target, error) {
	region := source.Region
	if region == "" {
		region = home
	}
	text := strings.NewReplacer("${Partition}", policy.Partition(region), "${Account}", account, "${Region}", source.Region,
		ownRegion, home, "${SourceBucket}", source.Bucket,
		"${ReportBucket}", settings.ReportBucket(account, source.Region)).Replace(n.Resource)
	arn, err := policy.ParseARN(strings.ReplaceAll(text, "*", "any"))
	if err != nil || policy.HasVariables(text) {
		return Target{}, fmt.Errorf("a need names what is no resource: %.200q", n.Resource)
	}
	return Target{arn, text}, nil
}
