package rehearsal_test

import (
	"testing"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
)

// TestEveryWordOfAPageIsSaid in every language: what a diagnosis and a journal call by names.
func TestEveryWordOfAPageIsSaid(t *testing.T) {
	t.Parallel()
	for _, l := range settings.Languages() {
		for what, c := range map[string]struct {
			find  func(settings.Language, string) (string, bool)
			names []string
		}{
			"verdict": {catalogue.Verdict, words(diagnose.Healthy, diagnose.Degraded, diagnose.Conditional, diagnose.Broken, diagnose.Unknown)},
			"hop":     {catalogue.Hop, hopNames()},
			"grade":   {catalogue.Grade, words(diagnose.Fault, diagnose.Warning, diagnose.Advice)},
			"side":    {catalogue.Side, words(diagnose.SourceSide, diagnose.DestinationSide, diagnose.PrincipalSide, diagnose.ResourceSide)},
			"decision": {catalogue.Decision, []string{
				authz.ImplicitDeny.String(), authz.ExplicitDeny.String(), authz.Allowed.String(), authz.Unknown.String(),
			}},
			"change": {catalogue.Change, words(
				incident.Intended, incident.Written, incident.Undoing, incident.Undone, incident.Unmade, incident.Overrun,
			)},
		} {
			for _, name := range c.names {
				if text, ok := c.find(l, name); !ok || text == "" {
					t.Errorf("%s %s is not said in %s", what, name, l)
				}
			}
		}
	}
}

func words[T ~string](all ...T) []string {
	var out []string
	for _, w := range all {
		out = append(out, string(w))
	}
	return out
}

func hopNames() []string {
	var out []string
	for _, h := range route.Hops() {
		out = append(out, h.String())
	}
	return out
}

// TestEveryCauseAndRuleIsExplained in every language, by the names that the catalogue cannot know to be all.
func TestEveryCauseAndRuleIsExplained(t *testing.T) {
	t.Parallel()
	for _, l := range settings.Languages() {
		for _, c := range diagnose.Causes() {
			if _, ok := catalogue.Cause(l, c.Name); !ok {
				t.Errorf("cause %s is not explained in %s", c.Name, l)
			}
		}
		for _, r := range guard.Rules() {
			if _, ok := catalogue.Rule(l, r.Name); !ok {
				t.Errorf("rule %s is not explained in %s", r.Name, l)
			}
		}
	}
	for got, want := range map[string]string{
		catalogue.Unapproved:    remedy.Unapproved,
		catalogue.ApprovedRoute: guard.ApprovedRoute,
		catalogue.RemovedAgain:  guard.RemovedAgain,
		catalogue.Journal:       "dynamodb:" + grants.IncidentTable,
	} {
		if got != want {
			t.Errorf("the catalogue looks for %q, which is %q", got, want)
		}
	}
}
