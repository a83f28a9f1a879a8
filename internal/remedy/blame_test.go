package remedy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
)

// TestChangesOnlyForbid: what is told of who broke the route can forbid a cure. Telling of others, before, with or after it, allows none.
func TestChangesOnlyForbid(t *testing.T) {
	t.Parallel()
	const security, jane = "arn:aws:iam::111122223333:role/Security", "arn:aws:iam::111122223333:user/jane"
	route := incident.Route{Source: source, Rule: "r1", Destination: destination}
	for name, tt := range map[string]struct {
		told [][]string // who, in each run
		want incident.Outcome
		by   string
	}{
		"nobody":                       {[][]string{nil}, incident.Applied, ""},
		"somebody":                     {[][]string{{jane}}, incident.Applied, jane},
		"a protected one":              {[][]string{{security}}, incident.Refused, security},
		"a protected one among others": {[][]string{{jane, security, jane}}, incident.Refused, security},
		"somebody is told of later":    {[][]string{{security}, {jane}}, incident.Refused, security},
		"nobody is told of later":      {[][]string{{security}, nil}, incident.Refused, security},
		"somebody who is not known":    {[][]string{{security}, {""}}, incident.Refused, security},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.approve(settings.Automatic)
			arn, err := policy.ParseARN(security)
			if err != nil {
				t.Fatal(err)
			}
			w.workflow.Settings.Protected = []policy.ARN{arn}
			var i incident.Incident
			for _, who := range tt.told {
				var known remedy.Known
				for _, by := range who {
					known.Changes = append(known.Changes, incident.Call{Event: "PutKeyPolicy", Principal: by, At: w.now.Add(-time.Minute)})
				}
				if i, err = w.workflow.Cure(t.Context(), route, known); err != nil {
					t.Fatal(err)
				}
			}
			if i.Outcome != tt.want {
				t.Errorf("outcome %s: %v", i.Outcome, i.Timeline)
			}
			if tt.by == "" != (i.Breaking == nil) || i.Breaking != nil && i.Breaking.Principal != tt.by {
				t.Errorf("broken by %+v", i.Breaking)
			}
			if last := w.messages[len(w.messages)-1]; tt.by != "" && !strings.Contains(strings.Join(last.Happened, "\n"), "broken by PutKeyPolicy of "+tt.by+" at ") {
				t.Errorf("the message does not say so: %+v", last)
			}
		})
	}
}
