package guard

import "slices"

// knownAccounts: a route that leads out of the organization is how data leaves it, whoever wrote it into the settings. The
// settings name the accounts, or else the organization does where its accounts are known.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_introduction.html
var knownAccounts = Rule{
	Name:    "known-accounts",
	Summary: "every account that the route touches is one of the settings' or of the organization's",
	judge: func(q *inquiry) []objection {
		var known []string
		whose := "accounts of the settings"
		if q.settings != nil {
			known = q.settings.Accounts
		}
		if o := q.snapshot.Organization; len(known) == 0 && o != nil {
			known, whose = o.Accounts, "organization "+o.ID
		}
		if len(known) == 0 {
			return nil
		}
		var out []objection
		for _, at := range q.touched() {
			if at.account != "" && !slices.Contains(known, at.account) {
				out = append(out, refuse("%s is of account %s, which is not in the %s", at.what, at.account, whose))
			}
		}
		return out
	},
}

// touch is something that the route or the plan touches, and its owner.
type touch struct{ what, account string }

// touched is everything of the route and of the plan that has an owner.
func (q *inquiry) touched() []touch {
	r := q.route
	out := []touch{
		{"source bucket " + r.Source, r.SourceAccount},
		{"destination bucket " + r.Destination, r.DestinationAccount},
		{"role " + r.Role.String(), r.Role.Account},
		{"replica key " + r.ReplicaKey.String(), r.ReplicaKey.Account},
	}
	for _, key := range q.sourceKeys() {
		out = append(out, touch{"source key " + key.String(), key.Account})
	}
	for _, e := range q.plan.Edits {
		out = append(out, touch{e.Document.String(), e.Account})
	}
	return out
}
