// Package rehearsal runs scenarios: a world in the lab, a fault, an object, a failure event, and everything that the product
// does about it, step by step. Each scenario is one file, embedded, that a reviewer can read alone.
//
// It is where the lab meets the workflow: it adapts the one to the ports of the other, and imports both. The command line
// prints its steps; the tests demand that every scenario is green, and not green with any one hop of the lab switched off.
package rehearsal

import (
	"context"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

//go:embed scenarios/*.txtar worlds/*.json
var files embed.FS

// Scenario is one story.
type Scenario struct {
	Name    string
	Title   string   // one sentence
	Topic   string   // what it is about, one of Topics
	Sources []string // where the story comes from
	Reports []string // the sources that are reports of users whom it happened to
	world   *snapshot.Snapshot
	parts   map[string]string // files that the script refers to
	script  []line
}

// line is one line of a script.
type line struct {
	number int
	words  []string
}

// Step is one thing that happened. At most one of the values beside Text is set.
type Step struct {
	Title   string
	Text    string
	Route   *diagnose.Route
	Access  *diagnose.Access
	Plan    *patch.Plan
	Verdict *guard.Verdict
	Message *incident.Message
}

// Result is how a scenario ended. Err is nil when everything was as the script says, and names file and line otherwise.
type Result struct {
	Scenario Scenario
	Writes   int // documents that the workflow wrote
	Checks   int // expectations that held
	// Incidents is what the journal holds in the end, the oldest first.
	Incidents []incident.Incident
	// Routes is those that the script approved.
	Routes []settings.ApprovedRoute
	Err    error
}

// All is every scenario, by name.
func All() ([]Scenario, error) {
	entries, err := files.ReadDir("scenarios")
	if err != nil {
		return nil, err
	}
	var out []Scenario
	for _, e := range entries {
		text, err := files.ReadFile(path.Join("scenarios", e.Name()))
		if err != nil {
			return nil, err
		}
		s, err := Parse(strings.TrimSuffix(e.Name(), ".txtar"), text)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Parse reads a scenario: its first line is the title, then come one "topic:" and "source:" and "report:" lines, then the files world (the name of one of the
// embedded worlds), change.json (a merge patch on it, optional), readings (names of lab.Readings that this cloud follows, optional),
// script, and what the script refers to.
func Parse(name string, text []byte) (Scenario, error) {
	s := Scenario{Name: name, parts: map[string]string{}}
	archive := txtar.Parse(text)
	for _, l := range strings.Split(strings.TrimSpace(string(archive.Comment)), "\n") {
		if source, ok := strings.CutPrefix(l, "source: "); ok {
			s.Sources = append(s.Sources, source)
		} else if topic, ok := strings.CutPrefix(l, "topic: "); ok {
			s.Topic = topic
		} else if report, ok := strings.CutPrefix(l, "report: "); ok {
			s.Reports = append(s.Reports, report)
			s.Sources = append(s.Sources, report)
		} else {
			s.Title = strings.TrimSpace(s.Title + " " + l)
		}
	}
	for _, f := range archive.Files {
		s.parts[f.Name] = string(f.Data)
	}
	if s.Title == "" || len(s.Sources) == 0 || s.parts["script"] == "" {
		return Scenario{}, fmt.Errorf("scenario %s: want a title, a source and a script", name)
	}
	if !slices.Contains(topics, s.Topic) {
		return Scenario{}, fmt.Errorf("scenario %s: unknown topic %q: want one of %s", name, s.Topic, strings.Join(topics, ", "))
	}
	for i, l := range strings.Split(s.parts["script"], "\n") {
		l, _, _ = strings.Cut(l, "# ")
		if words := strings.Fields(l); len(words) > 0 {
			s.script = append(s.script, line{i + 1, words})
			if verbs[words[0]].do == nil {
				return Scenario{}, fmt.Errorf("scenario %s: script line %d: unknown verb %q", name, i+1, words[0])
			}
		}
	}
	world, err := readWorld(strings.TrimSpace(s.parts["world"]), s.parts["change.json"])
	if err != nil {
		return Scenario{}, fmt.Errorf("scenario %s: %w", name, err)
	}
	s.world = world
	return s, nil
}

// notRead is what a merge patch says in place of a value that nobody may read.
const notRead = "not read"

// readWorld is an embedded snapshot with a merge patch (RFC 7396) on it, in which null stands for null.
func readWorld(name, change string) (*snapshot.Snapshot, error) {
	text, err := files.ReadFile(path.Join("worlds", name+".json"))
	if err != nil {
		return nil, fmt.Errorf("read world %s: %w", name, err)
	}
	if change != "" {
		base, err := jsontree.Parse(text, snapshot.MaxSize)
		if err != nil {
			return nil, fmt.Errorf("read world %s: %w", name, err)
		}
		patch, err := jsontree.Parse([]byte(change), snapshot.MaxSize)
		if err != nil {
			return nil, fmt.Errorf("read change.json: %w", err)
		}
		text = []byte(merge(base, patch).Indent())
	}
	s, err := snapshot.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("read world %s: %w", name, err)
	}
	return s, nil
}

func merge(base, patch jsontree.Node) jsontree.Node {
	if base.Kind != jsontree.Object || patch.Kind != jsontree.Object {
		return patch
	}
	for _, f := range patch.Fields {
		if f.Value.Text == notRead {
			base.Fields = slices.DeleteFunc(slices.Clone(base.Fields), func(m jsontree.Member) bool { return m.Name == f.Name })
			continue
		}
		base = base.With(f.Name, merge(base.Get(f.Name), f.Value))
	}
	return base
}

// Run plays the scenario in a cloud with those options and tells each step as it happens. It stops at the first thing that is
// not as the script says.
func (s Scenario) Run(ctx context.Context, options lab.Options, tell func(Step)) Result {
	_, out := s.play(ctx, options, tell)
	return out
}

// play is Run with the stage as it was left; nil: the cloud could not be made.
func (s Scenario) play(ctx context.Context, options lab.Options, tell func(Step)) (*stage, Result) {
	out := Result{Scenario: s}
	stage, err := newStage(s, options, tell)
	if err != nil {
		out.Err = fmt.Errorf("scenario %s: %w", s.Name, err)
		return nil, out
	}
	for _, l := range s.script {
		v := verbs[l.words[0]]
		if err := v.check(l.words[1:]); err != nil {
			out.Err = fmt.Errorf("scenario %s: script line %d: %w", s.Name, l.number, err)
			break
		}
		if err := v.do(ctx, stage, l.words[1:]); err != nil {
			out.Err = fmt.Errorf("scenario %s: script line %d: %s: %w", s.Name, l.number, strings.Join(l.words, " "), err)
			break
		}
		if v.expects {
			out.Checks++
		}
	}
	out.Writes, out.Incidents, out.Routes = stage.writes, stage.notes.Incidents(), stage.settings.Routes
	return stage, out
}

// Topics is what scenarios are about, in the order in which they are listed.
func Topics() []string { return slices.Clone(topics) }

var topics = []string{
	"basics", "roles", "policies", "encryption", "configuration", "rules", "object lock", "objects", "events", "unknown", "refusals",
	"partitions", "consumers", "articles", "reports",
}
