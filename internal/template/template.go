// Package template reads what is not deployed yet: CloudFormation templates and what terraform show -json prints of a plan or a
// state. It makes the Snapshot of the world that they would create, so that package diagnose can judge routes before any exists.
// cmd/replimend is its only caller; it knows no causes and judges nothing.
//
// What cannot be resolved is missing in the Snapshot and named in a note, never guessed. A second Snapshot takes the same values
// at their best: what is denied even there is denied for certain.
package template

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// MaxSize bounds the text of one file, in bytes. CloudFormation's own limit is 1 MB; plans of Terraform grow with the state.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const MaxSize = 32 << 20

// MaxFiles bounds how many files make one world.
const MaxFiles = 200

// The account and Region of a file that names none, when none is given: where nothing in a file depends on them, any will do.
const (
	AssumedAccount = "111122223333"
	AssumedRegion  = "us-east-1"
)

// File is one template or plan and where it is deployed.
type File struct {
	Label   string // for messages
	Data    []byte
	Account string // "" when not given
	Region  string

	several bool // one of several files: whether they are of one account and Region then matters
	// seed is what stand-ins are made from: its name without the folder, so that they are the same on every machine.
	seed string
}

// Options is what people say about the files beside their text.
type Options struct {
	Parameters map[string]string // of CloudFormation, pseudo parameters among them
	Imports    map[string]string // export name to value, for Fn::ImportValue
	Providers  map[string]Home   // key of a provider configuration of Terraform to where it deploys, as "aws.replica"
}

// Home is an account and a Region; either may be empty.
type Home struct{ Account, Region string }

// Format is what a file is.
type Format string

// The formats.
const (
	CloudFormation Format = "CloudFormation template"
	TerraformPlan  Format = "Terraform plan"
	TerraformState Format = "Terraform state"
)

// Source is what was read from one file.
type Source struct {
	Label   string   `json:"file"`
	Format  Format   `json:"format"`
	Account string   `json:"account,omitempty"`
	Region  string   `json:"region,omitempty"`
	Assumed []string `json:"assumed,omitempty"` // account, Region: not given, and nothing in the file depends on them
	Buckets int      `json:"buckets"`
	Roles   int      `json:"roles"`
	Keys    int      `json:"keys"`
}

// Note says what could not be resolved or made, and where it stands.
type Note struct {
	File    string `json:"file"`
	Address string `json:"address"`        // logical id or Terraform address
	Line    int    `json:"line,omitempty"` // of the text, 0 when not known
	Text    string `json:"text"`
	// Incomplete says that a route may be missing from the diagnosis for it.
	Incomplete bool `json:"incomplete"`
}

// Origin is where a bucket, role, key or policy of the Snapshot comes from.
type Origin struct {
	File    string `json:"file"`
	Address string `json:"address"`
	Line    int    `json:"line,omitempty"`
	// StandIn says that AWS will make the name up, so that the Snapshot has one of ours.
	StandIn bool `json:"standIn"`
}

// String is "SourceBucket, src.yaml:12".
func (o Origin) String() string {
	if o.Line > 0 {
		return fmt.Sprintf("%s, %s:%d", o.Address, o.File, o.Line)
	}
	return o.Address + ", " + o.File
}

// Result is the world that the files would create.
type Result struct {
	Snapshot *snapshot.Snapshot
	// AtBest has in place of each policy that is not resolved one that allows all that it might. A route that is broken there is
	// broken for certain. It is nil when everything is resolved.
	AtBest  *snapshot.Snapshot
	Sources []Source
	Notes   []Note
	// Origins are by bucket name, role ARN, key ARN and, for policies, the text of a snapshot.Ref.
	Origins map[string]Origin
}

// Parse reads the files as one world. The error says which file cannot be read, and where; nothing is returned beside it. Errors
// about the text are of type *FileError.
func Parse(files []File, options Options) (*Result, error) {
	if len(files) > MaxFiles {
		return nil, fmt.Errorf("read %d files: at most %d make one world", len(files), MaxFiles)
	}
	w := newWorld(options)
	w.files = len(files)
	var readers []reader
	seen := make(map[string]int)
	for _, f := range files {
		f.seed, f.several = path.Base(f.Label), len(files) > 1
		if seen[f.seed]++; seen[f.seed] > 1 { // also the same file for another account
			f.seed += fmt.Sprintf("#%d", seen[f.seed])
		}
		r, err := w.reader(f)
		if err != nil {
			return nil, &FileError{File: f.Label, Err: err}
		}
		readers = append(readers, r)
		w.sources = append(w.sources, r.source())
	}
	for i, r := range readers {
		w.current = i
		if err := r.read(); err != nil {
			return nil, &FileError{File: files[i].Label, Err: err}
		}
	}
	return w.result()
}

// FileError is what is wrong with a file.
type FileError struct {
	File string
	Err  error
}

func (e *FileError) Error() string { return e.File + ": " + e.Err.Error() }

func (e *FileError) Unwrap() error { return e.Err }

// PlaceError says that it matters where a file is deployed and that this was not given: it names accounts or Regions, or there are
// several files or provider configurations, which may be of one account and Region or not.
type PlaceError struct {
	Missing  string // "account", "Region"
	Names    []string
	Provider string // of Terraform
}

func (e *PlaceError) Error() string {
	const most = 3
	names := e.Names[:min(most, len(e.Names))]
	what := "it is deployed"
	if e.Provider != "" {
		what = "provider " + e.Provider + " deploys"
	}
	if len(names) == 0 {
		return fmt.Sprintf("what is judged together may be of several accounts or Regions, and it is not known in which %s %s", e.Missing, what)
	}
	return fmt.Sprintf("the file names %s %s, and it is not known in which %s %s", e.Missing, strings.Join(names, ", "), e.Missing, what)
}

// reader is one file in the course of being read.
type reader interface {
	source() Source
	read() error
}

func (w *world) reader(f File) (reader, error) {
	if f.Account != "" && !policy.IsAccountID(f.Account) {
		return nil, fmt.Errorf("account %.20q: want 12 digits", f.Account)
	}
	if f.Region != "" && !regionForm.MatchString(f.Region) {
		return nil, fmt.Errorf("region %.40q: want a form like us-east-1", f.Region)
	}
	root, err := parse(f.Data)
	if err != nil {
		return nil, err
	}
	switch {
	case root.Kind != jsontree.Object:
		return nil, jsontree.Errorf(root, "", "want an object, got %s", root.Kind)
	case root.Get("Resources").Kind == jsontree.Object:
		return newStack(w, f, root)
	case root.Get("format_version").Present():
		return newTerraform(w, f, root)
	}
	return nil, jsontree.Errorf(root, "", "neither a CloudFormation template (Resources) nor the output of terraform show -json (format_version)")
}

// parse reads JSON when the text begins like it, and YAML otherwise: every JSON text is YAML, but JSON is read faster and more strictly.
func parse(data []byte) (jsontree.Node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if text := bytes.TrimLeft(data, " \t\r\n"); len(text) > 0 && text[0] == '{' {
		return jsontree.Parse(data, MaxSize)
	}
	return parseYAML(data)
}

var (
	accountText = regexp.MustCompile(`^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12}):|^([0-9]{12})$`)
	regionForm  = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	regionText  = regexp.MustCompile(`\b(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-[0-9]\b`)
)

// placesIn is the accounts and Regions that stand in the values of a tree, sorted.
func placesIn(n jsontree.Node) (accounts, regions []string) {
	var walk func(n jsontree.Node)
	walk = func(n jsontree.Node) {
		if n.Kind == jsontree.String || n.Kind == jsontree.Number {
			if m := accountText.FindStringSubmatch(n.Text); m != nil {
				accounts = append(accounts, m[1]+m[2])
			}
			regions = append(regions, regionText.FindAllString(n.Text, -1)...)
		}
		for _, item := range n.Items {
			walk(item)
		}
		for _, f := range n.Fields {
			walk(f.Value)
		}
	}
	walk(n)
	unique := func(s []string) []string { slices.Sort(s); return slices.Compact(s) }
	return unique(accounts), unique(regions)
}

// home settles where a file is deployed. What is not given may be assumed only where nothing in the file could contradict it.
func (f File) home(n jsontree.Node) (home Home, assumed []string, err error) {
	home = Home{f.Account, f.Region}
	accounts, regions := placesIn(n)
	if home.Account == "" {
		if len(accounts) > 0 || f.several {
			return Home{}, nil, &PlaceError{Missing: "account", Names: accounts}
		}
		home.Account, assumed = AssumedAccount, append(assumed, "account")
	}
	if home.Region == "" {
		if len(regions) > 0 || f.several {
			return Home{}, nil, &PlaceError{Missing: "Region", Names: regions}
		}
		home.Region, assumed = AssumedRegion, append(assumed, "Region")
	}
	return home, assumed, nil
}
