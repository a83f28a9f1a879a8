package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemas = "../../docs/schema/"

func compile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(schemas + file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// printed is what the program prints to standard output, and nothing else.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	out, errs := bothOf(args...)
	if errs != "" {
		t.Fatal(errs)
	}
	return out
}

// printedBesideNotes is what the program prints to standard output. A change that somebody made is a note beside it.
func printedBesideNotes(t *testing.T, args ...string) string {
	t.Helper()
	out, errs := bothOf(args...)
	for line := range strings.Lines(errs) {
		if !strings.HasPrefix(line, "note: ") {
			t.Fatal(errs)
		}
	}
	return out
}

// bothOf is what the program prints to standard output and to standard error.
func bothOf(args ...string) (stdout, stderr string) {
	var out, errs strings.Builder
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	p.run(args)
	return out.String(), errs.String()
}

func TestPrintedJSONMeetsTheSchemas(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Glob("../../docs/examples/*.json")
	if err != nil || len(examples) < 8 {
		t.Fatalf("examples %v, error %v", examples, err)
	}
	events, err := filepath.Glob("../../docs/examples/events/*.json")
	if err != nil || len(events) < 5 {
		t.Fatalf("events %v, error %v", events, err)
	}
	for _, event := range events {
		text := printedBesideNotes(t, "diagnose", "--format", "json", "--snapshot", "../../docs/examples/role-lacks-decrypt.json", "--event", event)
		if err := validate(t, compile(t, "diagnosis.schema.json"), text); err != nil {
			t.Errorf("%s: %v", filepath.Base(event), err)
		}
	}
	for command, file := range map[string]string{"diagnose": "diagnosis.schema.json", "plan": "plan.schema.json"} {
		s := compile(t, file)
		for _, example := range examples {
			text := printed(t, command, "--format", "json", "--snapshot", example)
			if err := validate(t, s, text); err != nil {
				t.Errorf("%s %s: %v", command, filepath.Base(example), err)
			}
		}
		access := printed(t, command, "--format", "json", "--principal", "arn:aws:iam::444455556666:role/app/consumer",
			"--bucket", "amzn-s3-demo-bucket", "--operation", "get", "--snapshot", "../../docs/examples/consumers/article.json")
		if err := validate(t, s, access); err != nil {
			t.Errorf("%s of an access: %v", command, err)
		}
		if validate(t, s, strings.Replace(access, `"verdict": "broken"`, `"verdict": "sick"`, 1)) == nil {
			t.Errorf("%s: the schema has nothing against a verdict that there is not", command)
		}
		// Nothing enabled is a list, not null.
		if err := validate(t, s, printed(t, command, "--format", "json", "--snapshot", "testdata/empty.json")); err != nil {
			t.Errorf("%s of an empty snapshot: %v", command, err)
		}
	}
}

// TestSchemasRefuseWhatIsNotPrinted takes away or changes one member at a time.
func TestSchemasRefuseWhatIsNotPrinted(t *testing.T) {
	t.Parallel()
	const example = "../../docs/examples/role-lacks-decrypt.json"
	for command, file := range map[string]string{"diagnose": "diagnosis.schema.json", "plan": "plan.schema.json"} {
		s, text := compile(t, file), printed(t, command, "--format", "json", "--snapshot", example)
		changes := map[string][2]string{
			"a verdict that there is not": {`"verdict": "broken"`, `"verdict": "sick"`},
			"no verdict":                  {`"verdict": "broken"`, `"was": "broken"`},
			"no plan":                     {`"plan": {`, `"was": {`},
			"no class":                    {`"class": "automatic"`, `"was": "automatic"`},
			"no document before":          {`"before": null`, `"was": null`},
			"a policy that is none":       {`"Effect": "Allow"`, `"Effect": "allow"`},
			"a document of no kind":       {`"kind": "role-policy"`, `"kind": "role"`},
			"no source":                   {`"source": "amzn`, `"was": "amzn`},
		}
		if command == "diagnose" {
			changes["a hop that there is not"] = [2]string{`"hop": "assume-role"`, `"hop": "jump"`}
			changes["no decision"] = [2]string{`"decision": "allowed"`, `"was": "allowed"`}
			changes["evidence of no grade"] = [2]string{`"evidence": "documented"`, `"evidence": "certain"`}
		}
		for name, c := range changes {
			changed := strings.Replace(text, c[0], c[1], 1)
			if changed == text || !json.Valid([]byte(changed)) {
				t.Errorf("%s: %s: %s is not printed", command, name, c[0])
			} else if validate(t, s, changed) == nil {
				t.Errorf("%s: %s: the schema has nothing against it", command, name)
			}
		}
	}
}
