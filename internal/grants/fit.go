package grants

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/policy"
)

// What IAM stores. White space does not count, all inline policies of a role count together, and a role has ten managed policies
// unless its account asked for more.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	inlineLimit  = 10240
	managedLimit = 6144
	managedMost  = 10
)

// allow is what a role is allowed on some resources.
type allow struct {
	actions, resources []string
	conditions         []policy.Condition
	// wide is what stands in for it where the resources are too many to name; nil: nothing does.
	wide *allow
}

// statements makes one statement of what is allowed on the same resources, in the order in which they came.
type statements []allow

func (s *statements) add(a allow) {
	for i, old := range *s {
		if slices.Equal(old.resources, a.resources) && slices.EqualFunc(old.conditions, a.conditions, sameCondition) {
			for _, action := range a.actions {
				if !slices.Contains((*s)[i].actions, action) {
					(*s)[i].actions = append((*s)[i].actions, action)
				}
			}
			return
		}
	}
	a.actions = slices.Clone(a.actions)
	*s = append(*s, a)
}

func sameCondition(a, b policy.Condition) bool {
	return a.OperatorText() == b.OperatorText() && a.Key == b.Key && slices.Equal(a.Values, b.Values)
}

// actions is every action that is allowed, sorted.
func (s statements) actions() []string {
	var out []string
	for _, a := range s {
		out = append(out, a.actions...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// build is the policies of a role: inline while they fit, then in managed policies beside the denials, then with what stands in for
// lists that are too long. It fails rather than to allow more than that.
func build(name string, s statements, denials []policy.StatementSpec) (inline, managed []Policy, err error) {
	for _, widened := range []bool{false, true} {
		current := slices.Clone(s)
		for i, a := range current {
			if widened && a.wide != nil {
				wide := *a.wide
				wide.actions = a.actions
				current[i] = wide
			}
		}
		var all []policy.StatementSpec
		for _, a := range current {
			all = append(all, a.spec(a.resources))
		}
		d, err := document(append(all, denials...)...)
		if err != nil {
			return nil, nil, fmt.Errorf("make policy of role %s: %w", name, err)
		}
		if d.Size() <= inlineLimit {
			return []Policy{{name, d}}, nil, nil
		}
		documents, err := split(current)
		if err != nil {
			return nil, nil, fmt.Errorf("make policy of role %s: %w", name, err)
		}
		if len(documents) > managedMost {
			continue
		}
		if d, err = document(denials...); err != nil {
			return nil, nil, fmt.Errorf("make policy of role %s: %w", name, err)
		}
		for i, m := range documents {
			managed = append(managed, Policy{fmt.Sprintf("%s-%d", name, i+1), m})
		}
		return []Policy{{name, d}}, managed, nil
	}
	return nil, nil, fmt.Errorf("make policy of role %s: what it needs does not fit into %d managed policies of %d characters, and "+
		"nothing shorter says the same: spread the routes over more accounts, or approve fewer", name, managedMost, managedLimit)
}

// split puts statements into as few documents as they fit in, in their order.
func split(s statements) ([]policy.Document, error) {
	var out []policy.Document
	var current []policy.StatementSpec
	room := managedLimit
	flush := func() error {
		if len(current) == 0 {
			return nil
		}
		d, err := document(current...)
		out, current, room = append(out, d), nil, managedLimit
		return err
	}
	empty := policy.New().Size()
	for _, a := range s {
		// What a statement takes beside its resources, with the comma after it.
		frame, err := document(a.spec([]string{"*", "*"}))
		if err != nil {
			return nil, err
		}
		rest, base := a.resources, frame.Size()-len(`"*","*"`)-empty+1
		for len(rest) > 0 {
			n, left := 0, room-empty-base
			for n < len(rest) && left >= len(rest[n])+len(`"",`) {
				left -= len(rest[n]) + len(`"",`)
				n++
			}
			if n == 0 {
				if len(current) == 0 {
					return nil, fmt.Errorf("resource %.80q is too long", rest[0])
				}
				if err := flush(); err != nil {
					return nil, err
				}
				continue
			}
			current, rest, room = append(current, a.spec(rest[:n])), rest[n:], left+empty
		}
	}
	return out, flush()
}

func (a allow) spec(resources []string) policy.StatementSpec {
	return policy.StatementSpec{Effect: policy.Allow, Actions: a.actions, Resources: resources, Conditions: a.conditions}
}

func document(specs ...policy.StatementSpec) (policy.Document, error) {
	built := make([]policy.Statement, len(specs))
	for i, spec := range specs {
		s, err := spec.Build()
		if err != nil {
			return policy.Document{}, err
		}
		built[i] = s
	}
	return policy.New(built...), nil
}

// nothingElse denies every action but those: whatever else somebody attaches to the role, it gets no other action. Among those that are
// denied is every action of the literature on escalation that the role does not need itself.
// https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/
func nothingElse(actions []string) policy.StatementSpec {
	return policy.StatementSpec{Sid: "NothingElse", Effect: policy.Deny, NotActions: actions, Resources: []string{anything}}
}

// anything is the resource of actions that know none.
const anything = "*"

func equals(key string, values ...string) policy.Condition {
	return policy.Condition{Operator: policy.StringEquals, Key: key, Values: values}
}

func arn(partition, service, region, account, resource string) string {
	return strings.Join([]string{"arn", partition, service, region, account, resource}, ":")
}
