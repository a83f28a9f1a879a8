package awscloud

import (
	"cmp"
	"maps"
	"slices"

	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// The forms of ARNs that a need can be narrowed to.
const (
	needRole   = "role"
	needKey    = "key"
	needBucket = "bucket"
	needObject = "object"
	needAny    = "*" // AWS gives the action no resource
)

// Needs is what writing documents, and asking whether it is stopped, needs of the roles of a member beside ReadNeeds, each action once
// for a role, sorted by role and action. What a store writes is asked for in sessions that are narrowed to it; these are the actions
// that the roles themselves must have.
func Needs() []preflight.Need {
	type one struct {
		role   settings.MemberRole
		action string
	}
	all := map[one]preflight.Need{}
	add := func(needs ...preflight.Need) {
		for _, n := range needs {
			all[one{n.Role, n.Action}] = n
		}
	}
	for _, s := range stores {
		add(s.put)
		if s.remove != nil {
			add(*s.remove)
		}
	}
	add(opinionNeeds...)
	add(switchNeeds...)
	return slices.SortedFunc(maps.Values(all), compareNeeds)
}

func compareNeeds(a, b preflight.Need) int {
	return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Action, b.Action))
}
