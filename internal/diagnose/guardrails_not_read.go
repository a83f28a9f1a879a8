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
	Summary:   "the organization's SCPs or RCPs were not read: the diagnosis assumes that they deny nothing",
	Side:      SourceSide,
	Documents: []snapshot.Kind{snapshot.SCP},
	Remedy:    patch.None,
	Inspect: func(e *examination) []Finding {
		var of []string
		need := func(kind, account string, known bool) {
			if text := kind + " of account " + account; account != "" && !known && !slices.Contains(of, text) {
				of = append(of, text)
			}
		}
		guardrails := e.w.Snapshot.Guardrails
		need("SCPs", e.r.Role.Account, guardrails[e.r.Role.Account].SCPs.State != snapshot.Missing)
		for _, account := range []string{e.r.SourceAccount, e.r.DestinationAccount} {
			need("RCPs", account, guardrails[account].RCPs.State != snapshot.Missing)
		}
		if len(of) == 0 {
			return nil
		}
		return []Finding{{
			Cause: "guardrails-not-read", Side: SourceSide, Severity: Advice, Evidence: route.Inferred, Remedy: patch.None,
			Document: snapshot.Ref{Kind: snapshot.SCP, ID: e.r.Role.Account},
			Message:  fmt.Sprintf("the snapshot does not hold the %s: this diagnosis assumes that none of them denies", strings.Join(of, ", the ")),
		}}
	},
}
