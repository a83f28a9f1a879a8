package main

import (
	"fmt"
	"go/format"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
)

const pagesDir = "../../docs/causes"

// sectionsOf is the sections of every page, in order.
var sectionsOf = []string{"How to see it", "Why", "The fix", "Evidence", "Sources"}

// remedies is how the section of the fix begins, by what the catalogue says of the cause.
var remedies = map[patch.Class]string{
	patch.Automatic: "Remedy: `automatic` at most: Replimend plans this change, and makes it without asking only where the guard agrees.\n",
	patch.Approval:  "Remedy: `approval` at most: Replimend plans this change, and a person must agree before it is made.\n",
	patch.Manual:    "Remedy: `manual`: a person must decide and act.\n",
	patch.None:      "Remedy: `none`: there is nothing to cure.\n",
}

// languages is the forms of a fix, in the order of the page.
var languages = []string{"json", "sh", "hcl", "go"}

// nothingToChange is how a page says that it has no such forms.
const nothingToChange = "No policy and no configuration has to change"

// withoutFix is the causes that no document cures, and why.
var withoutFix = map[string]string{
	"access-not-known":            "something was not read",
	"batch-job-wrong-region":      "a job is made anew",
	"configuration-unknown":       "something was not read",
	"document-unreadable":         "something was not read",
	"event-contradicts-model":     "what is wrong is not known",
	"failure-reason-unknown":      "what is wrong is not known",
	"guardrails-not-read":         "something was not read",
	"object-already-replicated":   "the object is where it should be",
	"object-archived":             "objects are restored and written anew",
	"object-gone":                 "there is no object",
	"object-not-eligible":         "objects are restored and written anew",
	"object-not-readable":         "objects are restored, or read by version",
	"object-pending":              "S3 goes on by itself",
	"object-predates-rule":        "a batch job replicates it",
	"object-replicated-before":    "other findings name what to cure",
	"replica-hard-deleted":        "objects are written anew",
	"replica-key-actions-advised": "a test did without the permission",
	"requester-pays-header":       "the client sends a header",
	"route-not-found":             "what is wrong is not known",
	"source-encryption-unknown":   "something was not read",
	"version-not-at-destination":  "a batch job replicates it",
}

func TestPagesHaveTheForm(t *testing.T) {
	t.Parallel()
	seen := seenInCases(t)
	exceptions := maps.Clone(withoutFix)
	for _, c := range diagnose.Causes() {
		text, err := os.ReadFile(filepath.Join(pagesDir, c.Name+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		reason, without := exceptions[c.Name]
		delete(exceptions, c.Name)
		if without && reason == "" {
			t.Errorf("%s: no reason why there is no fix", c.Name)
		}
		for _, fault := range checkPage(string(text), c, without, seen[c.Name]) {
			t.Errorf("%s: %s", c.Name, fault)
		}
	}
	for name := range exceptions {
		t.Errorf("%s: no such cause", name)
	}
}

// observed is what the cases of the catalogue say of a cause.
type observed struct{ severities, grades []string }

var (
	severities = []string{"fault", "warning", "advice"}
	grades     = []string{"documented", "disputed", "inferred"}
)

// seenInCases is what findings the cases want, by cause.
func seenInCases(t *testing.T) map[string]observed {
	t.Helper()
	paths, err := filepath.Glob("../diagnose/testdata/causes/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	out := make(map[string]observed)
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name != "want" {
				continue
			}
			for line := range strings.Lines(string(f.Data)) {
				words := strings.Fields(line)
				if len(words) < 3 || !slices.Contains(severities, words[0]) {
					continue
				}
				o := out[words[1]]
				o.severities = with(o.severities, words[0])
				for _, w := range words[2:] {
					if slices.Contains(grades, w) {
						o.grades = with(o.grades, w)
					}
				}
				out[words[1]] = o
			}
		}
	}
	return out
}

func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// checkPage is what is wrong with a page. Without says that the cause is one that no document cures.
func checkPage(text string, c diagnose.Cause, without bool, seen observed) (faults []string) {
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	p, err := readPage(text)
	if err != nil {
		return []string{err.Error()}
	}
	if p.title != c.Name {
		report("the title is %q", p.title)
	}
	if intro := strings.TrimSpace(p.intro); intro == "" || strings.Contains(intro, "\n") {
		report("the title is not followed by one paragraph that says what the cause is")
	}
	if !slices.Equal(p.headings, sectionsOf) {
		report("the sections are %q", p.headings)
	}
	for _, h := range p.headings {
		if strings.TrimSpace(p.sections[h]) == "" {
			report("section %q is empty", h)
		}
	}
	faults = append(faults, checkSymptoms(p.sections["How to see it"], c.Name, seen)...)
	faults = append(faults, checkFix(p.sections["The fix"], c, without)...)
	faults = append(faults, checkEvidence(p.sections["Evidence"], seen)...)
	faults = append(faults, checkSources(p.sections["Sources"])...)
	for _, b := range blocks(text) {
		if err := checkBlock(b); err != nil {
			report("%v in\n%s", err, b.text)
		}
	}
	return faults
}

var (
	reasonLine    = regexp.MustCompile("(?m)^- `failureReason` of the S3 event: \\S")
	diagnosisLine = regexp.MustCompile(`(?m)^- In the diagnosis.*$`)
	severityWord  = regexp.MustCompile("[\"`](fault|warning|advice)[\"`]")
)

func checkSymptoms(text, cause string, seen observed) (faults []string) {
	if !reasonLine.MatchString(text) {
		faults = append(faults, "how to see it does not say which failureReason there is, or that there is none")
	}
	faults = append(faults, checkReasons(text, cause)...)
	line := diagnosisLine.FindString(text)
	if !strings.Contains(line, "`\"cause\": \""+cause+"\"`, `\"severity\": \"") {
		faults = append(faults, "how to see it does not show the cause and the severity in the diagnosis")
	}
	var named []string
	for _, m := range severityWord.FindAllStringSubmatch(line, -1) {
		named = with(named, m[1])
	}
	if !sameSet(named, seen.severities) {
		faults = append(faults, fmt.Sprintf("how to see it names the severities %q, the cases have %q", named, seen.severities))
	}
	return faults
}

var reasonName = regexp.MustCompile("`((?:Src|Dst|AssumeRole|Initiate)[A-Za-z]+)`")

// checkReasons wants the reasons on the page to be known, and those that lead to this cause alone to be on the page.
func checkReasons(text, cause string) (faults []string) {
	var named []string
	for _, m := range reasonName.FindAllStringSubmatch(text, -1) {
		named = with(named, m[1])
	}
	known := make(map[string]bool)
	for _, r := range diagnose.Reasons() {
		known[r.Name], known[r.Former] = true, true
		if slices.Equal(r.Causes, []string{cause}) && !slices.Contains(named, r.Name) {
			faults = append(faults, fmt.Sprintf("how to see it does not name the failureReason %s, which leads to this cause alone", r.Name))
		}
	}
	for _, name := range named {
		if !known[name] {
			faults = append(faults, fmt.Sprintf("how to see it names %s, which is no failureReason", name))
		}
	}
	return faults
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func checkFix(text string, c diagnose.Cause, without bool) (faults []string) {
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if want := remedies[c.Remedy]; want == "" || !strings.HasPrefix(strings.TrimLeft(text, "\n"), want) {
		report("the fix does not begin with %q", want)
	}
	var got []string
	for _, b := range blocks(text) {
		got = with(got, b.language)
	}
	says := strings.Contains(text, nothingToChange)
	switch {
	case without && !says:
		report("the fix does not say: %s", nothingToChange)
	case without && c.Remedy != patch.Manual && c.Remedy != patch.None:
		report("Replimend plans an edit for it: that is a fix")
	case without && slices.ContainsFunc(got, func(l string) bool { return l != "sh" }):
		report("the fix shows %q although there is nothing to change", got)
	case !without && says:
		report("the fix says that there is nothing to change")
	case !without:
		for _, l := range languages {
			if !slices.Contains(got, l) {
				report("the fix has no %s", l)
			}
		}
	}
	return faults
}

var firstGrade = regexp.MustCompile(`^\s*\*\*(Documented|Disputed|Inferred)\*\*`)

// checkEvidence wants the grade that the section begins with to be one of the cases', and each of theirs to be named.
func checkEvidence(text string, seen observed) (faults []string) {
	m := firstGrade.FindStringSubmatch(text)
	if m == nil {
		return []string{"the evidence does not begin with its grade"}
	}
	if first := strings.ToLower(m[1]); !slices.Contains(seen.grades, first) {
		faults = append(faults, fmt.Sprintf("the evidence begins with %s, the cases have %q", first, seen.grades))
	}
	for _, g := range seen.grades {
		if !strings.Contains(strings.ToLower(text), "**"+g+"**") {
			faults = append(faults, fmt.Sprintf("the evidence does not name the grade %s that the cases have", g))
		}
	}
	return faults
}

var (
	sourceLine = regexp.MustCompile(`^- (?:.*: )?<https://[^ <>]+>$`)
	awsSource  = regexp.MustCompile(`<https://(docs\.aws\.amazon\.com|aws\.amazon\.com|repost\.aws)/`)
)

func checkSources(text string) (faults []string) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		if !sourceLine.MatchString(strings.TrimRight(line, "\n")) {
			faults = append(faults, fmt.Sprintf("%q is no source", line))
		}
	}
	if !awsSource.MatchString(text) && !strings.Contains(text, "<https://github.com/") {
		faults = append(faults, "no source is a page of AWS or a public report")
	}
	return faults
}

// placeholder is a word that a reader would have to replace without knowing by what.
var placeholder = regexp.MustCompile(`<[A-Za-z][^>]*>|\b(VERSION|JOB|NAME|BUCKET|ACCOUNT|YOUR[A-Z_-]*|TODO)\b|\.\.\.|…`)

// checkBlock reads a block as its language; JSON is read by another test.
func checkBlock(b block) error {
	if b.language != "json" {
		if m := placeholder.FindString(b.text); m != "" {
			return fmt.Errorf("%s holds the placeholder %s", b.language, m)
		}
	}
	switch b.language {
	case "json":
		return nil
	case "sh":
		for line := range strings.Lines(b.text) {
			if len(line) > 79 && (strings.HasPrefix(line, "#") || strings.Count(line, " --") > 1) {
				return fmt.Errorf("a line of sh goes on beyond 78 characters: %s", line)
			}
		}
		cmd := exec.Command("sh", "-n")
		cmd.Stdin = strings.NewReader(b.text)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("sh -n: %w: %s", err, out)
		}
		return nil
	case "hcl":
		if _, diags := hclparse.NewParser().ParseHCL([]byte(b.text), "page.tf"); diags.HasErrors() {
			return diags
		}
		if string(hclwrite.Format([]byte(b.text))) != b.text {
			return fmt.Errorf("terraform fmt would change it")
		}
		return nil
	case "go":
		formatted, err := format.Source([]byte(b.text))
		if err != nil {
			return err
		}
		if string(formatted) != b.text {
			return fmt.Errorf("gofmt would change it")
		}
		_, err = program(b.text)
		return err
	default:
		return fmt.Errorf("the language of a block is %q", b.language)
	}
}
