package policy

import (
	"cmp"
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
	return d.IsZero() == o.IsZero() && d.ID == o.ID &&
		cmp.Or(d.Version, Version2008) == cmp.Or(o.Version, Version2008) &&
		slices.EqualFunc(d.Statements, o.Statements, func(a, b Statement) bool { return a.equivalent(b, partition) })
}

func (s Statement) equivalent(o Statement, partition string) bool {
	return s.Sid == o.Sid && s.Effect == o.Effect &&
		s.Action.Not == o.Action.Not && sameSet(s.Action.Values, o.Action.Values) &&
		s.Resource.Not == o.Resource.Not && sameSet(s.Resource.Values, o.Resource.Values) &&
		s.Principal.equivalent(o.Principal, partition) &&
		slices.EqualFunc(inOrder(s.Conditions), inOrder(o.Conditions), Condition.equivalent)
}

func (p *PrincipalSet) equivalent(o *PrincipalSet, partition string) bool {
	if p == nil || o == nil {
		return p == o
	}
	return p.Not == o.Not && sameSet(p.whole(partition), o.whole(partition))
}

// whole is the principals of a set, each account by the ARN of its root.
func (p *PrincipalSet) whole(partition string) []Principal {
	out := slices.Clone(p.Values)
	for i, one := range out {
		if one.Kind == PrincipalAWS && IsAccountID(one.Value) {
			out[i].Value = ARN{Partition: partition, Service: "iam", Account: one.Value, Resource: "root"}.String()
		}
	}
	return out
}

func (c Condition) equivalent(o Condition) bool {
	return c.OperatorText() == o.OperatorText() && c.Key == o.Key && sameSet(c.Values, o.Values)
}

// inOrder is conditions by what tells them apart within a statement; they must all hold, whatever their order.
func inOrder(conditions []Condition) []Condition {
	return slices.SortedStableFunc(slices.Values(conditions), func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.OperatorText(), b.OperatorText()), cmp.Compare(a.Key, b.Key))
	})
}

func sameSet[T comparable](a, b []T) bool {
	within := func(x, y []T) bool {
		return !slices.ContainsFunc(x, func(v T) bool { return !slices.Contains(y, v) })
	}
	return within(a, b) && within(b, a)
}
