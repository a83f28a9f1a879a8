// Package preflight finds everything that Replimend lacks before it can work, all at once: permissions of its roles and of the
// caller, keys whose policy admits none of its roles, trails that record too little, rules whose failures nobody hears of.
//
// It judges what others read: package awscloud asks the accounts, the command line puts the answers together and prints what is
// missing. What could not be read is reported as not known, never as fine.
package preflight

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// Severity says how much what is missing hurts.
type Severity string

// The severities.
const (
	Blocks Severity = "blocks" // a route cannot be diagnosed, or not be repaired as far as its mode says
	Limits Severity = "limits" // it works, but sees less, or it is not known whether it works
)

// Missing is one thing that is missing.
type Missing struct {
	Account  string // where it has to be mended; "" when that is not known
	Subject  string // the ARN of a role or key, a route, a trail, or another name
	What     string
	Fix      string // a statement as JSON, commands, or a sentence
	Severity Severity
}

// Need is one action that a role of a member must be allowed.
type Need struct {
	Role   settings.MemberRole
	Action string
	// Resource is what the action is made on: role, key, bucket or object for those of the approved routes, one of the constants for
	// canaries, * for actions that know no resource, or an ARN in IAM's notation, in which ${Partition}, ${Account}, ${Region}, ${SourceBucket} and
	// ${ReportBucket} stand for those of the approved routes. One with ${MemberRegion}, the first Region of the member or the
	// hub's, is needed in every account. See Targets.
	Resource string
	// Conditions is what the permission can be tied to, because every call keeps to it. A star in a value stands for any text.
	Conditions []policy.Condition
	Why        string // what becomes of it without the action
}

// Caller is whose credentials lead into an account.
type Caller struct {
	Account string // the account that they are for
	ARN     string // "" when Code says why not
	Code    string // of the error of AWS
}

// Assumption is what became of the attempt to assume a role of a member.
type Assumption struct {
	Account string
	Role    settings.MemberRole
	Code    string // of the error of AWS; "" when the role was assumed
}

// Facts is everything that is judged. What is not there was not asked for, and is reported as not known.
type Facts struct {
	Settings *settings.Settings // never nil, nor is the snapshot
	// Snapshot is the documents of all approved routes, and the member roles of Replimend where they could be read.
	Snapshot *snapshot.Snapshot
	Needs    []Need
	// Base is who assumes the roles of members, and HubRegion the Region of its kill switch.
	Base        Caller
	HubRegion   string
	Callers     []Caller // of accounts that are entered without a role of Replimend
	Assumptions []Assumption
	Trails      []Trails
}

// Check is everything that is missing, sorted by account, what blocks first. Nothing is missing only where everything is known.
func Check(f Facts) []Missing {
	c := &checker{f: f, w: route.NewWorld(f.Snapshot), accounts: map[string]*account{}}
	c.collect()
	c.routes()
	c.callers()
	c.roles()
	c.keys()
	c.trails()
	slices.SortStableFunc(c.out, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(c.out)
}

type checker struct {
	f        Facts
	w        *route.World
	accounts map[string]*account
	out      []Missing
}

// account is what the approved routes have in one account.
type account struct {
	id, partition string
	member        *settings.Member
	routes        []string // their names
	acts          bool     // whether one of its routes may be repaired
	regions       []string // of its buckets, its keys and its membership
	keys          []policy.ARN
}

// collect sorts what the settings name by account.
func (c *checker) collect() {
	of := func(id, partition string) *account {
		a, ok := c.accounts[id]
		if !ok {
			a = &account{id: id, partition: partition}
			c.accounts[id] = a
		}
		return a
	}
	for _, r := range c.f.Settings.Routes {
		in := func(id, region string) *account {
			a := of(id, r.Role.ARN.Partition)
			a.routes = add(a.routes, r.Name)
			a.acts = a.acts || r.Mode.Acts()
			if region != "" {
				a.regions = add(a.regions, region)
			}
			return a
		}
		in(r.Source.Account, r.Source.Region)
		in(r.Destination.Account, r.Destination.Region)
		in(r.Role.ARN.Account, "")
		for _, key := range append(slices.Clone(r.SourceKeys), r.ReplicaKey) {
			if !key.IsZero() {
				a := in(key.Account, key.Region)
				a.keys = add(a.keys, key)
			}
		}
	}
	for i, m := range c.f.Settings.Members {
		a := of(m.Account, route.PartitionOf(strings.Join(m.Regions, " "))) // all are of one partition
		a.member = &c.f.Settings.Members[i]
		for _, region := range m.Regions {
			a.regions = add(a.regions, region)
		}
	}
}

func add[T comparable](to []T, v T) []T {
	if slices.Contains(to, v) {
		return to
	}
	return append(to, v)
}

// each is every account, sorted by id.
func (c *checker) each() []*account {
	var out []*account
	for _, id := range slices.Sorted(maps.Keys(c.accounts)) {
		out = append(out, c.accounts[id])
	}
	return out
}

func (c *checker) missing(severity Severity, account, subject, fix, format string, args ...any) {
	c.out = append(c.out, Missing{
		Account: account, Subject: subject, What: fmt.Sprintf(format, args...), Fix: fix,
		Severity: severity,
	})
}

// unreadable is why something of the snapshot is missing, as far as the snapshot says.
func (c *checker) unreadable(path string) string {
	if why, ok := c.f.Snapshot.Unreadable[path]; ok {
		return why
	}
	for _, at := range slices.Sorted(maps.Keys(c.f.Snapshot.Unreadable)) {
		if strings.HasPrefix(at, path+".") {
			return c.f.Snapshot.Unreadable[at]
		}
	}
	return "it is not in the snapshot"
}
