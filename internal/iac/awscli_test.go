package iac_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/iac"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The scripts run against this test binary under the name aws, a cloud in a file.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "aws" {
		os.Exit(fakeAWS(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// cloud is what the fake AWS CLI works on. Documents are by "trust NAME", "role policy NAME POLICY", "user policy NAME POLICY", "bucket policy NAME" and
// "key policy ARN"; one that is not there does not exist.
type cloud struct {
	Account   string
	Owners    map[string]string // of documents
	Documents map[string]string
	Deny      string // the command that is denied
	Calls     [][]string
}

func fakeAWS(args []string) int {
	path := os.Getenv("FAKE_AWS")
	var c cloud
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 255
	}
	c.Calls = append(c.Calls, args)
	out, err := c.call(args)
	if data, e := json.Marshal(c); e != nil || os.WriteFile(path, data, 0o600) != nil {
		return 255
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nAn error occurred (%s) when calling an operation: no\n", err)
		return 254
	}
	fmt.Print(out)
	return 0
}

// call reads options as the AWS CLI does, and knows exactly those that each command needs: one more or less is an error.
func (c *cloud) call(args []string) (string, error) {
	options := map[string]string{}
	for rest := args[2:]; len(rest) > 0; rest = rest[1:] {
		name, value, joined := strings.Cut(rest[0], "=")
		if !strings.HasPrefix(name, "--") {
			return "", fmt.Errorf("Unknown options: %q", rest[0])
		}
		if !joined {
			if len(rest) < 2 || strings.HasPrefix(rest[1], "-") {
				return "", fmt.Errorf("%s: expected one argument", name)
			}
			value, rest = rest[1], rest[1:]
		}
		options[name] = value
	}
	command := args[0] + " " + args[1]
	want, ok := map[string]string{
		"sts get-caller-identity":       "--output --query",
		"iam get-role-policy":           "--output --policy-name --query --role-name",
		"iam put-role-policy":           "--policy-document --policy-name --role-name",
		"iam delete-role-policy":        "--policy-name --role-name",
		"iam get-user-policy":           "--output --policy-name --query --user-name",
		"iam put-user-policy":           "--policy-document --policy-name --user-name",
		"iam delete-user-policy":        "--policy-name --user-name",
		"iam get-role":                  "--output --query --role-name",
		"iam update-assume-role-policy": "--policy-document --role-name",
		"s3api get-bucket-policy":       "--bucket --expected-bucket-owner --output --query",
		"s3api put-bucket-policy":       "--bucket --expected-bucket-owner --policy",
		"s3api delete-bucket-policy":    "--bucket --expected-bucket-owner",
		"kms get-key-policy":            "--key-id --output --policy-name --query --region",
		"kms put-key-policy":            "--key-id --policy --policy-name --region",
	}[command]
	var names []string
	for name := range options {
		names = append(names, name)
	}
	slices.Sort(names)
	switch {
	case !ok || strings.Join(names, " ") != want:
		return "", fmt.Errorf("%s does not take %v", command, names)
	case command == "sts get-caller-identity":
		return c.Account + "\n", nil
	case args[0] == "kms" && options["--policy-name"] != "default":
		return "", fmt.Errorf("NotFoundException")
	}
	return c.document(command, options)
}

func (c *cloud) document(command string, options map[string]string) (string, error) {
	key, none := keyPolicy+" "+options["--key-id"], "NotFoundException"
	switch {
	case strings.HasSuffix(command, "-bucket-policy"):
		key, none = bucketPolicy+" "+options["--bucket"], "NoSuchBucketPolicy"
	case strings.HasSuffix(command, "-role-policy") && options["--policy-name"] != "":
		key, none = rolePolicy+" "+options["--role-name"]+" "+options["--policy-name"], "NoSuchEntity"
	case strings.HasSuffix(command, "-user-policy"):
		key, none = userPolicy+" "+options["--user-name"]+" "+options["--policy-name"], "NoSuchEntity"
	case strings.HasPrefix(command, "iam "):
		key, none = roleTrust+" "+options["--role-name"], "NoSuchEntity"
	}
	owner := options["--expected-bucket-owner"]
	if c.Owners[key] != c.Account || owner != "" && owner != c.Account || command == c.Deny {
		return "", fmt.Errorf("AccessDenied")
	}
	text, there := c.Documents[key]
	switch verb, _, _ := strings.Cut(strings.Fields(command)[1], "-"); {
	case verb == "get" && there:
		return text + "\n", nil
	case verb == "get":
		return "", fmt.Errorf("%s", none)
	case verb == "delete":
		delete(c.Documents, key)
		return "", nil
	default:
		file, ok := strings.CutPrefix(options["--policy"]+options["--policy-document"], "file://")
		data, err := os.ReadFile(file)
		if !ok || err != nil || !json.Valid(data) {
			return "", fmt.Errorf("MalformedPolicyDocument: %v", err)
		}
		c.Documents[key] = string(data)
		return "", nil
	}
}

// computer is a folder with a cloud, the fake aws and a script.
type computer struct {
	folder string
	path   string // PATH
}

// newComputer has the cloud as the plans expect it. Documents are spaced and ordered as no plan prints them: only what they say counts.
func newComputer(t testing.TB, folder string, routes []iac.Route) *computer {
	t.Helper()
	c := cloud{Owners: map[string]string{}, Documents: map[string]string{}}
	for _, r := range routes {
		if r.Plan == nil {
			continue
		}
		for _, e := range r.Plan.Edits {
			w := wanted(t, []iac.Route{{Plan: &patch.Plan{Edits: []patch.Edit{e}}}})[0]
			c.Owners[w.Kind+" "+w.Who] = e.Account
			if before, ok := e.Before.Get(); ok {
				c.Documents[w.Kind+" "+w.Who] = " " + reversed(t, before)
			}
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(folder, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "aws")); err != nil {
		t.Fatal(err)
	}
	out := &computer{folder, bin + string(os.PathListSeparator) + os.Getenv("PATH")}
	out.save(t, c)
	return out
}

// reversed is a document with the members of its outer object in the opposite order.
func reversed(t testing.TB, d policy.Document) string {
	t.Helper()
	text, err := d.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range []string{"Statement", "Id", "Version"} {
		if v, ok := members[name]; ok {
			out = append(out, fmt.Sprintf("%q: %s", name, v))
		}
	}
	return "{" + strings.Join(out, ",\n") + "}"
}

func (c *computer) file(name string) string { return filepath.Join(c.folder, name) }

func (c *computer) save(t testing.TB, state cloud) {
	t.Helper()
	data, err := json.Marshal(state)
	if err == nil {
		err = os.WriteFile(c.file("cloud.json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c *computer) cloud(t testing.TB) cloud {
	t.Helper()
	var state cloud
	data, err := os.ReadFile(c.file("cloud.json"))
	if err == nil {
		err = json.Unmarshal(data, &state)
	}
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// run runs a script under the credentials of an account and gives all it printed and whether it succeeded.
func (c *computer) run(t testing.TB, script, account string) (string, bool) {
	t.Helper()
	state := c.cloud(t)
	state.Account, state.Calls = account, nil
	c.save(t, state)
	cmd := exec.CommandContext(t.Context(), "sh", "-s")
	cmd.Stdin = strings.NewReader(script)
	cmd.Dir = c.folder
	cmd.Env = append(os.Environ(), "PATH="+c.path, "FAKE_AWS="+c.file("cloud.json"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err == nil
}

// documents is what is in the cloud in the form of wanted.
func (c *computer) documents(t testing.TB) []found {
	t.Helper()
	var out []found
	for key, text := range c.cloud(t).Documents {
		for _, kind := range []string{rolePolicy, userPolicy, roleTrust, bucketPolicy, keyPolicy} {
			if who, ok := strings.CutPrefix(key, kind+" "); ok {
				out = append(out, found{kind, who, canonical(t, json.RawMessage(text))})
			}
		}
	}
	return sorted(out)
}

func accounts(routes []iac.Route) []string {
	var out []string
	for _, r := range routes {
		if r.Plan == nil {
			continue
		}
		for _, e := range r.Plan.Edits {
			if !slices.Contains(out, e.Account) {
				out = append(out, e.Account)
			}
		}
	}
	return out
}

// writes is the commands that change something.
func writes(calls [][]string) []string {
	var out []string
	for _, c := range calls {
		if !strings.HasPrefix(c[1], "get-") {
			out = append(out, c[1])
		}
	}
	return out
}

func TestScriptWritesThePlanAndItsUndoTakesItBack(t *testing.T) {
	t.Parallel()
	for name, routes := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, t.TempDir(), routes)
			script := render(t, "awscli", routes)
			before := c.documents(t)
			for _, account := range accounts(routes) {
				if out, ok := c.run(t, script, account); !ok {
					t.Fatalf("the script fails:\n%s", out)
				}
			}
			if d := cmp.Diff(wanted(t, routes), c.documents(t)); d != "" {
				t.Errorf("the cloud is not as planned (-plan +cloud):\n%s", d)
			}
			for _, account := range accounts(routes) {
				if out, ok := c.run(t, script, account); !ok || writes(c.cloud(t).Calls) != nil {
					t.Errorf("the second time does something: %v\n%s", c.cloud(t).Calls, out)
				}
			}
			for _, account := range accounts(routes) {
				if out, ok := c.run(t, undo(script, account), account); !ok {
					t.Fatalf("the undo fails:\n%s", out)
				}
			}
			if d := cmp.Diff(before, c.documents(t)); d != "" {
				t.Errorf("the undo leaves something (-before +after):\n%s", d)
			}
			if _, err := os.Stat(c.file("owned")); !os.IsNotExist(err) {
				t.Error("text became a command")
			}
		})
	}
}

// undo is the commands in the comments of an account's part.
func undo(script, account string) string {
	_, text, _ := strings.Cut(script, "# Undo, under credentials of account "+account)
	var out strings.Builder
	out.WriteString("set -eu\n")
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "#   "); ok {
			out.WriteString(command)
		} else if !strings.HasPrefix(line, " and while") {
			break
		}
	}
	return out.String()
}

func TestScriptRefuses(t *testing.T) {
	t.Parallel()
	routes := cases(t)["one-account"]
	script := render(t, "awscli", routes)
	const account, role = "111122223333", "replication"
	const last = keyPolicy + " arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	tests := map[string]struct {
		account string
		change  func(c *cloud)
		want    string
	}{
		"another account":         {"444455556666", nil, "these are credentials of account 444455556666, not of 111122223333"},
		"no account":              {"", nil, "these are credentials of account"},
		"a changed document":      {account, func(c *cloud) { c.Documents[last] = strings.Replace(c.Documents[last], "kms:*", "kms:List*", 1) }, "has changed since the plan was made"},
		"a new document":          {account, func(c *cloud) { c.Documents[rolePolicy+" "+role+" Replimend"] = `{"Statement":[]}` }, "has changed since the plan was made"},
		"a true that was a 1":     {account, func(c *cloud) { c.Documents[last] = strings.Replace(c.Documents[last], `"*"`, `true`, 1) }, "has changed since the plan was made"},
		"a removed role":          {account, func(c *cloud) { delete(c.Documents, roleTrust+" "+role) }, "get-role does not say what is there"},
		"a document that is not":  {account, func(c *cloud) { c.Documents[last] = "None" }, "has changed since the plan was made"},
		"an empty answer":         {account, func(c *cloud) { c.Documents[last] = "" }, "has changed since the plan was made"},
		"a document not readable": {account, func(c *cloud) { c.Deny = "kms get-key-policy" }, "get-key-policy does not say what is there"},
		"a role policy not read":  {account, func(c *cloud) { c.Deny = "iam get-role-policy" }, "get-role-policy does not say what is there"},
		"another owner":           {account, func(c *cloud) { c.Owners[last] = "444455556666" }, "get-key-policy does not say what is there"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, t.TempDir(), routes)
			state := c.cloud(t)
			if test.change != nil {
				test.change(&state)
			}
			c.save(t, state)
			out, ok := c.run(t, script, test.account)
			if ok || !strings.Contains(out, test.want) {
				t.Errorf("succeeds: %v, want %q:\n%s", ok, test.want, out)
			}
			if w := writes(c.cloud(t).Calls); w != nil {
				t.Errorf("it writes all the same: %v", w)
			}
		})
	}
}

// TestScriptTrustsNoFolderOfOthers: who can write into the folder can change a document between its comparison and its write.
func TestScriptTrustsNoFolderOfOthers(t *testing.T) {
	t.Parallel()
	routes := cases(t)["one-account"]
	script := render(t, "awscli", routes)
	for name, prepare := range map[string]func(folder string) error{
		"everybody's": func(folder string) error { return errors.Join(os.Mkdir(folder, 0o700), os.Chmod(folder, 0o707)) },
		"the group's": func(folder string) error { return errors.Join(os.Mkdir(folder, 0o700), os.Chmod(folder, 0o770)) },
		"a link": func(folder string) error {
			return errors.Join(os.Mkdir(folder+".real", 0o700), os.Symlink(folder+".real", folder))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newComputer(t, t.TempDir(), routes)
			if err := prepare(c.file(hash.FindString(script))); err != nil {
				t.Fatal(err)
			}
			if out, ok := c.run(t, script, "111122223333"); ok || !strings.Contains(out, "is a folder that others can write into") || writes(c.cloud(t).Calls) != nil {
				t.Errorf("succeeds: %v, writes %v:\n%s", ok, writes(c.cloud(t).Calls), out)
			}
		})
	}
}

// TestScriptStopsAtAFailedWrite also shows that a second run goes on where the first one stopped.
func TestScriptStopsAtAFailedWrite(t *testing.T) {
	t.Parallel()
	routes := cases(t)["one-account"]
	c := newComputer(t, t.TempDir(), routes)
	script := render(t, "awscli", routes)
	state := c.cloud(t)
	state.Deny = "iam put-role-policy"
	c.save(t, state)
	if out, ok := c.run(t, script, "111122223333"); ok || !slices.Equal(writes(c.cloud(t).Calls), []string{"put-key-policy", "put-role-policy"}) {
		t.Errorf("succeeds: %v, writes %v:\n%s", ok, writes(c.cloud(t).Calls), out)
	}
	state = c.cloud(t)
	state.Deny = ""
	c.save(t, state)
	out, ok := c.run(t, script, "111122223333")
	if !ok || !strings.Contains(out, "already there: policy of key ") {
		t.Errorf("succeeds: %v:\n%s", ok, out)
	}
	if d := cmp.Diff(wanted(t, routes), c.documents(t)); d != "" {
		t.Errorf("the cloud is not as planned (-plan +cloud):\n%s", d)
	}
}

func TestScriptNeedsItsTools(t *testing.T) {
	t.Parallel()
	routes := cases(t)["one-account"]
	for _, tool := range []string{"aws", "python3"} {
		c := newComputer(t, t.TempDir(), routes)
		sh, err := exec.LookPath("sh")
		if err != nil {
			t.Fatal(err)
		}
		// The path has every other tool, but none of the system's.
		if err := os.Symlink(sh, c.file("bin/sh")); err != nil {
			t.Fatal(err)
		}
		if tool == "aws" {
			if err := os.Rename(c.file("bin/aws"), c.file("bin/python3")); err != nil {
				t.Fatal(err)
			}
		}
		c.path = c.file("bin")
		if out, ok := c.run(t, render(t, "awscli", routes), "111122223333"); ok || !strings.Contains(out, "replimend: "+tool+" is not there") {
			t.Errorf("succeeds without %s: %v:\n%s", tool, ok, out)
		}
	}
}

// TestNoTextBecomesACommand runs scripts of nasty documents; TestNoTextBecomesCode reads more of them.
func TestNoTextBecomesACommand(t *testing.T) {
	t.Parallel()
	for seed := range 3 {
		routes := []iac.Route{rapid.Custom(nastyRoute).Example(seed)}
		folder := t.TempDir()
		c := newComputer(t, folder, routes)
		script := render(t, "awscli", routes)
		for _, account := range accounts(routes) {
			if out, ok := c.run(t, script, account); !ok {
				t.Fatalf("the script fails:\n%s\n%s", out, script)
			}
		}
		if d := cmp.Diff(wanted(t, routes), c.documents(t)); d != "" {
			t.Fatalf("the cloud is not as planned (-plan +cloud):\n%s\n%s", d, script)
		}
		onlyExpectedFiles(t, folder)
	}
}

var hash = regexp.MustCompile(`replimend-[0-9a-f]{12}`)

// skeleton is a script without comments and the bodies of here-documents, and those that are a document after an edit.
func skeleton(t testing.TB, script string) (code string, after []string) {
	t.Helper()
	var b, body strings.Builder
	inside, isAfter := false, false
	for line := range strings.Lines(script) {
		switch {
		case inside && line == "END_OF_JSON\n":
			inside = false
			if text := canonical(t, json.RawMessage(body.String())); isAfter {
				after = append(after, text)
			}
			body.Reset()
		case inside:
			body.WriteString(line)
		case strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.HasPrefix(line, "#   aws "):
		default:
			b.WriteString(hash.ReplaceAllString(line, "replimend-HASH"))
			inside = strings.HasSuffix(line, "<<'END_OF_JSON'\n")
			isAfter = strings.Contains(line, ".after.json")
		}
	}
	if inside {
		t.Fatalf("a here-document does not end: %s", script)
	}
	return b.String(), after
}

// checkScript wants the script to hold the plans' documents, and its commands not to depend on them.
func checkScript(t testing.TB, routes []iac.Route, script string) {
	t.Helper()
	code, after := skeleton(t, script)
	harmless := iac.Route{Plan: &patch.Plan{}}
	for _, r := range routes {
		if r.Plan == nil {
			continue
		}
		for _, e := range r.Plan.Edits {
			simple := document(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*"}]}`)
			if e.After = snapshot.Of(simple); e.Before.State == snapshot.Present {
				e.Before = e.After
			}
			e.Adds, e.Cures = nil, nil
			harmless.Plan.Edits = append(harmless.Plan.Edits, e)
		}
	}
	want, _ := skeleton(t, render(t, "awscli", []iac.Route{harmless}))
	if d := cmp.Diff(want, code); d != "" {
		t.Fatalf("the documents change the commands (-harmless +got):\n%s\n%s", d, script)
	}
	var documents []string
	for _, f := range wanted(t, routes) {
		documents = append(documents, f.Document)
	}
	slices.Sort(documents)
	slices.Sort(after)
	if d := cmp.Diff(documents, after); d != "" {
		t.Fatalf("the script has other documents than the plan (-plan +script):\n%s\n%s", d, script)
	}
}

func onlyExpectedFiles(t *testing.T, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		known := d.IsDir() || slices.Contains([]string{"aws", "python3", "cloud.json", "error"}, name) || strings.HasSuffix(name, ".json")
		if !known {
			t.Errorf("the script made %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
