package rehearsal_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/rehearsal"
)

func scenarios(t *testing.T) []rehearsal.Scenario {
	t.Helper()
	all, err := rehearsal.All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryScenarioIsGreen(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios(t) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			var story strings.Builder
			r := s.Run(t.Context(), lab.Options{}, func(step rehearsal.Step) { story.WriteString(step.Title + ": " + step.Text + "\n") })
			if r.Err != nil {
				t.Errorf("%v\n%s", r.Err, &story)
			}
			if r.Checks == 0 {
				t.Error("the scenario expects nothing")
			}
		})
	}
}

// TestScenariosDependOnEveryHop switches one hop of the lab off, so that S3 no longer asks for it. If all scenarios stayed green,
// the rehearsal could not tell a cloud that needs a permission from one that does not.
func TestScenariosDependOnEveryHop(t *testing.T) {
	t.Parallel()
	all := scenarios(t)
	for _, hop := range lab.Hops() {
		t.Run(hop, func(t *testing.T) {
			t.Parallel()
			red := false
			for _, s := range all {
				red = red || s.Run(t.Context(), lab.Options{Ignore: map[string]bool{hop: true}}, func(rehearsal.Step) {}).Err != nil
			}
			if !red {
				t.Error("no scenario is red without the hop")
			}
		})
	}
}

func TestScriptsAreReadStrictly(t *testing.T) {
	t.Parallel()
	const head = "A title.\ntopic: basics\nsource: https://example.com\n-- world --\ncross-account-kms\n-- script --\n"
	for name, test := range map[string]struct{ text, want string }{
		"unknown verb":  {head + "put a b\nfly high\n", `script line 2: unknown verb "fly"`},
		"no source":     {strings.Replace(head, "source: https://example.com\n", "", 1) + "put a b\n", "want a title, a source and a script"},
		"unknown topic": {strings.Replace(head, "basics", "weather", 1) + "put a b\n", `unknown topic "weather"`},
		"unknown world": {strings.Replace(head, "cross-account-kms", "nowhere", 1) + "put a b\n", "read world nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := rehearsal.Parse("x", []byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
	for name, test := range map[string]struct{ script, want string }{
		"too few arguments":   {"put onlyone", "want the arguments BUCKET KEY"},
		"expectation not met": {"status amzn-s3-demo-source a.txt COMPLETED", "script line 1: status"},
		"fault not found":     {"verdict amzn-s3-demo-source r1 broken", "the verdict is healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := rehearsal.Parse("x", []byte(head+test.script+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if r := s.Run(t.Context(), lab.Options{}, func(rehearsal.Step) {}); r.Err == nil || !strings.Contains(r.Err.Error(), test.want) {
				t.Errorf("err = %v, want %q", r.Err, test.want)
			}
		})
	}
}
