package guard_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestNoMutantIsAllowed: whatever a valid plan is made into, it is never allowed to drop a Deny, to add a wildcard, or to let
// in anybody else. Adds is made to fit, so that the list alone does not catch it.
func TestNoMutantIsAllowed(t *testing.T) {
	t.Parallel()
	base := load(t, nil)
	allowed, harmful := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := base
		s.plan.Edits = slices.Clone(base.plan.Edits)
		e := &s.plan.Edits[rapid.IntRange(0, len(s.plan.Edits)-1).Draw(t, "edit")]
		for range rapid.IntRange(1, 3).Draw(t, "mutations") {
			mutate(t, e)
		}
		e.Adds = adds(*e)
		v := s.check()
		if harm := harmOf(*e); harm != "" {
			harmful++
			if v.Decision != guard.Refuse {
				t.Fatalf("%s, and the verdict is %s%s", harm, text(v), e.Diff())
			}
		} else if v.Decision == guard.Allow {
			allowed++
		}
	})
	// Mutants of one kind only would prove nothing.
	if harmful == 0 || allowed == 0 {
		t.Errorf("%d harmful mutants, %d allowed ones: want both", harmful, allowed)
	}
}

// mutate changes one thing in the document that an edit leaves behind.
func mutate(t *rapid.T, e *patch.Edit) {
	var d map[string]any
	text, err := json.Marshal(e.After.V)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	statements, _ := d["Statement"].([]any)
	if len(statements) == 0 {
		return
	}
	i := rapid.IntRange(0, len(statements)-1).Draw(t, "statement")
	s, _ := statements[i].(map[string]any)
	kind := rapid.SampledFrom([]string{
		"remove", "effect", "action", "resource", "principal", "condition", "sid", "drop", "move", "version", "copy", "not",
	}).Draw(t, "mutation")
	switch kind {
	case "remove":
		statements = slices.Delete(statements, i, i+1)
	case "effect":
		s["Effect"] = rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect")
	case "action":
		s["Action"] = more(t, s["Action"], "s3:*", "*", "kms:*", "kms:Dec?ypt", "s3:PutBucketVersioning", "kms:Decrypt", "s3:ReplicateTags", "iam:PassRole")
	case "resource":
		s["Resource"] = more(t, s["Resource"], "*", "arn:aws:s3:::*", "arn:aws:s3:::amzn-s3-demo-destination*", "arn:aws:s3:::amzn-s3-demo-source/led*", "arn:aws:kms:*:*:key/*", "arn:aws:s3:::amzn-s3-demo-destination/ledger/*")
	case "principal":
		s["Principal"] = map[string]any{"AWS": more(t, "arn:aws:iam::111122223333:role/service-role/replication", "*", "111122223333", "arn:aws:iam::777788889999:root", "AROAEXAMPLEREPLICATN")}
	case "condition":
		c, _ := s["Condition"].(map[string]any)
		if c == nil {
			c = map[string]any{}
		}
		operator := rapid.SampledFrom([]string{"StringLike", "StringEquals", "StringEqualsIfExists", "StringNotLike"}).Draw(t, "operator")
		key := rapid.SampledFrom([]string{"kms:ViaService", "kms:EncryptionContext:aws:s3:arn", "aws:SourceArn"}).Draw(t, "key")
		value := rapid.SampledFrom([]string{"*", "s3.*", "s3.us-east-1.amazonaws.com", "arn:aws:s3:::amzn-s3-demo-source"}).Draw(t, "value")
		c[operator] = map[string]any{key: value}
		s["Condition"] = c
	case "sid":
		s["Sid"] = rapid.SampledFrom([]string{"", "Mine", "ReplimendOther", "Replimend*"}).Draw(t, "sid")
	case "drop":
		delete(s, rapid.SampledFrom(slices.Sorted(maps.Keys(s))).Draw(t, "member"))
	case "move":
		k := rapid.IntRange(0, len(statements)-1).Draw(t, "to")
		statements[i], statements[k] = statements[k], statements[i]
	case "version":
		d["Version"] = rapid.SampledFrom([]string{"2008-10-17", "2012-10-17"}).Draw(t, "version")
	case "copy":
		statements = append(statements, maps.Clone(s))
	case "not":
		for _, name := range []string{"Action", "Resource", "Principal"} {
			if v, ok := s[name]; ok && rapid.Bool().Draw(t, name) {
				delete(s, name)
				s["Not"+name] = v
			}
		}
	}
	d["Statement"] = statements
	if text, err = json.Marshal(d); err != nil {
		t.Fatal(err)
	}
	if after, err := policy.Parse(text); err == nil { // what cannot be read cannot be planned
		e.After = snapshot.Of(after)
	}
}

// more adds to a list or stands in place of it.
func more(t *rapid.T, old any, values ...string) any {
	v := rapid.SampledFrom(values).Draw(t, "value")
	if rapid.Bool().Draw(t, "replace") {
		return v
	}
	list, ok := old.([]any)
	if !ok {
		list = []any{old}
	}
	if old == nil {
		return v
	}
	return append(slices.Clone(list), v)
}

// harmOf says what is wrong with an edit, on its own terms and not by the rules of the guard.
func harmOf(e patch.Edit) string {
	for _, s := range e.Before.V.Statements {
		if s.Effect == policy.Deny && !slices.ContainsFunc(e.After.V.Statements, s.Equal) {
			return "the Deny " + s.Sid + " is gone"
		}
	}
	const role = "arn:aws:iam::111122223333:role/service-role/replication"
	for _, s := range e.After.V.Statements {
		if slices.ContainsFunc(e.Before.V.Statements, s.Equal) {
			continue
		}
		switch {
		case s.Action.Not || s.Resource.Not:
			return "a grant by exclusion"
		case strings.ContainsAny(strings.Join(s.Action.Values, ""), "*?"):
			return "a wildcard in an action"
		}
		for _, r := range s.Resource.Values {
			ownKey := r == "*" && strings.HasSuffix(string(e.Document.Kind), "-key-policy")
			if trimmed := strings.TrimSuffix(r, "/*"); !ownKey && strings.ContainsAny(trimmed, "*?") {
				return "a wildcard in a resource"
			}
		}
		if s.Principal == nil {
			continue
		}
		for _, p := range s.Principal.Values {
			if s.Principal.Not || p.Value != role {
				return "a grant to somebody else"
			}
		}
		for _, c := range s.Conditions {
			if strings.HasPrefix(strings.Join(c.Values, ""), "*") || slices.Contains(c.Values, "s3.*") {
				return "a wildcard in a condition"
			}
		}
	}
	return ""
}

// TestOneBadEditRefusesThePlan: the verdict is the strictest of all rules on all edits, and the same each time.
func TestOneBadEditRefusesThePlan(t *testing.T) {
	t.Parallel()
	s := load(t, map[string]string{
		"settings.json": `{"routes": {"0": {"mode": "approve"}}}`,
		"plan.json":     `{"class": "approval", "edits": {"replica-key-policy": {"append": {"0": {"Action": "kms:*"}}}}}`,
		"history.json":  `{"KillSwitches": ["hub"]}`,
	})
	want := text(s.check())
	for _, rule := range []string{"mode: ask", "class: ask", "exact-action: refuse", "kill-switch: refuse"} {
		if !strings.Contains(want, "\n"+rule) {
			t.Errorf("verdict leaves out %q:\n%s", rule, want)
		}
	}
	for range 20 {
		if got := text(s.check()); got != want {
			t.Fatalf("verdict differs from one time to the next:\n%s\n%s", want, got)
		}
	}
}
