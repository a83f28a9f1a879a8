package rehearsal_test

import (
	"testing"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
)

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
