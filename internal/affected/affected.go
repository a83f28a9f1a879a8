// Package affected says which approved routes a recorded change can have broken or mended, and which a denied call concerns, from
// their pointers alone: where to look, never what is so.
//
// functions/change asks it about what CloudTrail records, the command line about a record that somebody has. It knows the settings
// and no cloud. What a pointer may
// mean counts: a route that is looked at for nothing costs a few calls.
package affected

import (
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
)

// Routes is the approved routes that a change concerns, in the order of the settings.
func Routes(c signal.Change, set *settings.Settings) []settings.ApprovedRoute {
	var out []settings.ApprovedRoute
	for _, r := range set.Routes {
		if concerns(c, r) {
			out = append(out, r)
		}
	}
	return out
}

// Denied is the approved routes that a denied call of S3 concerns, in the order of the settings: those of its role that use its key,
// or all of the role where none does, because S3 asks for the key that an object has, whatever was approved.
func Denied(d signal.Denial, set *settings.Settings) []settings.ApprovedRoute {
	var role, key []settings.ApprovedRoute
	for _, r := range set.Routes {
		if r.Role.ARN.Account != d.Account || r.Role.ARN.Name() != d.Role {
			continue
		}
		role = append(role, r)
		for _, k := range keysOf(r) {
			if k.String() == d.Key {
				key = append(key, r)
				break
			}
		}
	}
	if len(key) > 0 {
		return key
	}
	return role
}

// keysOf is the keys of a route; one without a replica key has an empty one among them.
func keysOf(r settings.ApprovedRoute) []policy.ARN {
	return append([]policy.ARN{r.ReplicaKey}, r.SourceKeys...)
}

func concerns(c signal.Change, r settings.ApprovedRoute) bool {
	switch {
	case c.Source == "organizations.amazonaws.com":
		// Which accounts are under a root or a unit, and which policy hangs where, is not in the settings.
		return !policy.IsAccountID(c.Target) || has(r, c.Target)
	case c.Source == "kms.amazonaws.com":
		return concernsKey(c, r)
	case c.Bucket != "": // buckets have one namespace, over all accounts of a partition
		return r.Source.Bucket == c.Bucket || r.Destination.Bucket == c.Bucket
	case c.Role != "":
		return r.Role.ARN.Name() == c.Role && in(c, r.Role.ARN.Account)
	case c.Policy != "":
		// What it is attached to is not in the settings; the role of a route is of the account that the policy is of.
		arn, err := policy.ParseARN(c.Policy)
		return err == nil && r.Role.ARN.Account == arn.Account
	}
	return in(c, r.Source.Account) || in(c, r.Destination.Account) // all buckets of the account
}

// concernsKey asks for each key of the route. A change that names none, or moves an alias away from a key that it does not name, can
// be about any key of the account and Region.
func concernsKey(c signal.Change, r settings.ApprovedRoute) bool {
	for _, key := range keysOf(r) {
		id, isKey := strings.CutPrefix(key.Resource, "key/")
		switch {
		case !isKey:
		case c.Key == key.String():
			return true
		case !in(c, key.Account) || c.Region != key.Region:
		case c.Key == "" || c.Key == id || c.Event == "UpdateAlias":
			return true
		}
	}
	return false
}

// in says whether the change can have been made in an account.
func in(c signal.Change, account string) bool { return c.Account == "" || c.Account == account }

// has says whether anything of the route is in an account.
func has(r settings.ApprovedRoute, account string) bool {
	if r.Source.Account == account || r.Destination.Account == account || r.Role.ARN.Account == account || r.ReplicaKey.Account == account {
		return true
	}
	for _, key := range r.SourceKeys {
		if key.Account == account {
			return true
		}
	}
	return false
}
