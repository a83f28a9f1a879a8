package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// guardrailsNotRead: organization policies can be read in the management account only. Without them the diagnosis assumes
// that none denies, and says so. The assumption can hide a denial, it can never justify a grant.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
var guardrailsNotRead = Cause{
	Name:      "guardrails-not-read",
	Group:     OfWhatIsUnread,
	Summary:   "the organization's SCPs or RCPs were not read: the diagnosis assumes that they deny nothing",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.SCP},
	Remedy:    patch.None,
	Inspect: func(e *examination) []Finding {
		return e.unreadGuardrails(SourceSide, e.r.SourceAccount, e.r.DestinationAccount)
	},
	InspectAccess: func(e *examination) []Finding {
		owners := []string{e.access.Account}
		for _, p := range e.populations {
			owners = append(owners, p.Key.Account)
		}
		return e.unreadGuardrails(PrincipalSide, owners...)
	},
}

// unreadGuardrails says that the SCPs of the principal or the RCPs of the owners are not known.
func (e *examination) unreadGuardrails(side Side, owners ...string) []Finding {
	var of []string
	need := func(kind, account string, known bool) {
		if text := kind + " of account " + account; account != "" && !known && !slices.Contains(of, text) {
			of = append(of, text)
		}
	}
	guardrails := e.w.Snapshot.Guardrails
	principal := e.subject.principal.Account
	need("SCPs", principal, guardrails[principal].SCPs.State != snapshot.Missing)
	for _, account := range owners {
		need("RCPs", account, guardrails[account].RCPs.State != snapshot.Missing)
	}
	if len(of) == 0 {
		return nil
	}
	return []Finding{{
		Cause: "guardrails-not-read", Side: side, Severity: Advice, Evidence: route.Inferred, Remedy: patch.None,
		Document: snapshot.Ref{Kind: snapshot.SCP, ID: principal},
		Message:  fmt.Sprintf("the snapshot does not hold the %s: this diagnosis assumes that none of them denies", strings.Join(of, ", the ")),
	}}
}
