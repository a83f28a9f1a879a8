package policy

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Equivalent says whether two documents mean the same to AWS although they may not print alike: what a service may make of a
// document that it stores and gives back. Partition is the one of what the document belongs to, such as aws.
//
// S3 makes a string of a list of one value and orders lists anew, principals even with each reading, and adds an empty Sid; an
// account id and the ARN of the account's root behave the same, and services turn one into the other; a document without
// Version is of the version of 2008. The order of an object's members and the same value twice in a list never mean anything.
// Everything else tells documents apart, also what means the same to AWS in the end: the order of statements, their Sids, the
// case of actions and condition keys, a pattern that covers another.
//
//   - https://github.com/hashicorp/terraform/issues/2432, https://github.com/hashicorp/terraform/pull/4278,
//     https://github.com/ansible/ansible/issues/19310
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
func (d Document) Equivalent(o Document, partition string) bool {
	return d.Canonical(partition) == o.Canonical(partition)
}

// Canonical is a text that exactly those documents share that are Equivalent. It is for comparing and hashing, not for storing.
func (d Document) Canonical(partition string) string {
	out := canonical{Zero: d.IsZero(), Version: cmp.Or(d.Version, Version2008), ID: d.ID}
	for _, s := range d.Statements {
		c := canonicalStatement{
			Sid: s.Sid, Effect: s.Effect.String(), Actions: StringSet{s.Action.Not, set(s.Action.Values)}, Resources: StringSet{s.Resource.Not, set(s.Resource.Values)},
		}
		if p := s.Principal; p != nil {
			var all []string
			for _, one := range p.Values {
				if one.Kind == PrincipalAWS && IsAccountID(one.Value) {
					one.Value = ARN{Partition: partition, Service: "iam", Account: one.Value, Resource: "root"}.String()
				}
				all = append(all, one.Kind.String()+":"+one.Value)
			}
			c.Principals = &StringSet{p.Not, set(all)}
		}
		for _, one := range s.Conditions {
			c.Conditions = append(c.Conditions, []string{one.OperatorText(), one.Key})
			c.Conditions[len(c.Conditions)-1] = append(c.Conditions[len(c.Conditions)-1], set(one.Values)...)
		}
		// They must all hold, whatever their order.
		slices.SortFunc(c.Conditions, slices.Compare[[]string])
		out.Statements = append(out.Statements, c)
	}
	text, _ := json.Marshal(out) // which always prints
	return string(text)
}

type canonical struct {
	Zero       bool
	Version    Version
	ID         string
	Statements []canonicalStatement
}

type canonicalStatement struct {
	Sid, Effect        string
	Principals         *StringSet // each with its kind
	Actions, Resources StringSet
	Conditions         [][]string // operator, key and values
}

// set is the values of a list, each once, in an order of their own.
func set(values []string) []string {
	out := slices.Clone(values)
	slices.Sort(out)
	return slices.Compact(out)
}
