package layering

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// kind says what a package may know of the world.
type kind int

const (
	// pure packages turn documents into documents: no I/O, clock, randomness, goroutines or context.
	pure kind = iota
	// order packages decide what happens when. They know context and goroutines, and are pure otherwise.
	order
	// edge packages talk to the network. One edge never imports another.
	edge
	// lab packages are the cloud in memory and what runs in it.
	lab
	// wiring packages are the programs.
	wiring
)

func (k kind) String() string {
	return [...]string{"pure", "order", "edge", "lab", "wiring"}[k]
}

// A layer is what the table says of one package.
type layer struct {
	kind kind
	// imports names the packages that it may import, separated by spaces and without "internal/".
	imports string
}

// everything stands for all packages under internal and docs.
const everything = "*"

// layers is the architecture as a table. A package in the tree must be in it; a package in it may still be unwritten.
// Widening a line is a decision about the architecture, so say why in the change.
var layers = map[string]layer{
	"internal/jsontree": {pure, ""},
	"internal/policy":   {pure, "jsontree"},

	"internal/authz":    {pure, "jsontree policy"},
	"internal/simulate": {pure, "jsontree policy authz"},
	"internal/snapshot": {pure, "jsontree policy"},
	"internal/settings": {pure, "jsontree policy"},
	"internal/signal":   {pure, "jsontree policy"},
	"internal/template": {pure, "jsontree policy snapshot"},
	"internal/intake":   {pure, "jsontree signal"},
	"internal/affected": {pure, "jsontree policy settings signal"},
	"internal/incident": {pure, "jsontree policy"},

	"internal/route": {pure, "jsontree policy authz snapshot"},
	"internal/patch": {pure, "jsontree policy authz snapshot"},

	// It prints what a plan says and must not know why.
	"internal/iac": {pure, "jsontree policy snapshot patch"},

	// A signal gives diagnose its hints; what decides stays the evaluator.
	"internal/diagnose": {pure, "jsontree policy authz snapshot route patch signal"},
	"internal/guard":    {pure, "jsontree policy authz snapshot route patch settings signal incident"},

	"internal/render": {pure, "jsontree policy authz snapshot route patch diagnose guard incident preflight"},
	"internal/remedy": {order, "jsontree policy authz snapshot route patch diagnose guard settings signal incident"},

	// The lab judges what the others conclude, so it must not learn from them: see labNeverReaches.
	"internal/lab":       {lab, "jsontree policy authz snapshot settings signal incident"},
	"internal/rehearsal": {lab, everything},
	"internal/mutation":  {lab, everything},

	// It is run by go generate and linked into nothing.
	"internal/schemagen":  {wiring, everything},
	"internal/causegen":   {wiring, everything},
	"internal/accountgen": {wiring, everything},

	// It is run by make pictures and linked into nothing.
	"internal/chatpictures": {wiring, everything},

	// The pages of the causes, as text.
	"docs/causes": {pure, ""},

	// It makes what is deployed and is linked into nothing.
	"internal/bundle": {wiring, "release settings"},
	// It builds what is deployed: for bundle, and for the tests that start it.
	"internal/release": {wiring, "settings"},

	// It is run by make mutate and linked into nothing.
	"internal/mutate": {wiring, everything},

	// It makes pictures of pages with a browser, for make demo and the documents, and is linked into nothing.
	"internal/shoot": {wiring, ""},

	// It is run by make rehearse-aws, against two accounts of AWS, and linked into nothing.
	"internal/rehearseaws": {wiring, everything},

	// The codes of AWS's errors, without the SDK that carries them.
	"internal/awserr": {pure, ""},

	// What is missing before Replimend can work, and what a person has to switch on: judged from documents, read by awscloud.
	"internal/preflight": {pure, "jsontree policy authz snapshot route settings"},
	"internal/enroll":    {pure, "jsontree policy authz snapshot route patch settings guard"},

	"internal/awscloud": {edge, "jsontree policy authz snapshot patch settings incident preflight enroll awserr"},
	"internal/replay":   {edge, "policy snapshot settings incident preflight awserr"},
	"internal/trails":   {edge, "snapshot preflight awserr"},
	"internal/journal":  {edge, "policy snapshot incident awserr"},
	// The seals of approvals, for those of journal's users who make or verify them.
	"internal/seal": {edge, "incident"},
	// How AWS is reached, without any client.
	"internal/awsconfig": {edge, ""},

	// Texts in every language.
	"internal/catalogue": {pure, "settings incident"},
	// What a browser shows: documents in, HTML out.
	"internal/page": {pure, "jsontree policy snapshot patch settings incident catalogue choice"},
	// What a button stands for: who tells people writes it, and who takes their answers reads it.
	"internal/choice": {pure, "incident"},
	// A text that shows nowhere, and who reads it.
	"internal/secret": {pure, ""},
	"internal/vault":  {edge, "secret"},
	// It tells people, and decides nothing.
	"internal/notify": {edge, "settings incident catalogue choice policy secret"},

	// It knows what its messages say, and not what for.
	"internal/queue": {edge, "policy jsontree incident signal"},

	// It writes one kind of object, and knows nothing of why.
	"internal/canary": {edge, "policy snapshot settings incident preflight awserr"},

	// Which role may do what, from what each part declares that it needs: documents that infra deploys.
	"internal/grants": {pure, "jsontree policy settings preflight"},

	// What all functions have in common. It links no client but that of queues, so that each function has those that it uses and no other.
	"internal/deployed": {wiring, "policy settings intake incident awsconfig queue"},

	// Links, codes and seals: whoever has the secret can tell what the page made.
	"internal/link": {pure, "settings incident"},

	// What each function does: it puts edges behind the ports of the workflow.
	"internal/receiver": {wiring, "intake incident remedy signal journal queue deployed"},
	"internal/watcher":  {wiring, "affected guard incident intake policy queue settings signal deployed"},
	"internal/worker":   {wiring, "awscloud canary incident journal policy queue remedy replay seal settings deployed"},
	"internal/sweeper":  {wiring, "awscloud diagnose guard incident journal policy queue remedy settings snapshot deployed"},
	// Where people decide, whichever way they come.
	"internal/desk": {wiring, "policy incident settings guard journal seal queue deployed"},
	// The page of incidents, and who may see and decide there.
	"internal/site": {wiring, "policy incident settings catalogue link page journal seal vault queue desk deployed"},
	// The buttons of Slack, and who pressed them.
	"internal/buttons": {wiring, "policy incident settings catalogue choice secret journal seal vault queue desk deployed"},
	// It knows Lambda's events of URLs, and nothing of what is behind them.
	"internal/functionurl": {wiring, ""},
	// What tells people, apart from what the other functions link.
	"internal/herald": {wiring, "settings incident journal notify queue deployed link secret vault"},
	// It sees every edge, and so says what each function needs.
	"internal/needs": {wiring, "policy settings preflight grants awscloud replay canary journal queue notify vault"},

	// The one place besides the functions that knows Lambda's events: what those behind queues have in common.
	"internal/batch": {wiring, "deployed intake"},

	// Suites that every implementation of a port passes, and the cloud that others wrote. Only tests import them.
	"internal/mototest":    {lab, ""},
	"internal/storetest":   {lab, "jsontree policy snapshot patch incident"},
	"internal/journaltest": {lab, "policy snapshot incident"},
	// An OpenID provider for tests.
	"internal/oidctest": {lab, ""},
	// One message of each kind, for the tests of whoever says them.
	"internal/notifytest": {lab, "incident"},
	// What each role can do and cannot, asked of documents or of templates.
	"internal/grantstest": {lab, "policy authz settings preflight grants needs journal"},
	"internal/lambdatest": {lab, "policy settings incident journal seal mototest needs grants release"},

	// What the functions may cost, and the function beside which they are measured.
	"internal/costs":       {lab, "lambdatest"},
	"internal/costs/empty": {wiring, ""},

	// It deploys with the commands that people use, and reads back. It has tests only.
	"internal/deploytest": {lab, "policy settings grants deployed needs incident journal lambdatest mototest"},

	"internal/layering": {pure, ""},

	"cmd/replimend": {wiring, everything},
	// It deploys, and is the one place that knows jsii.
	"infra": {wiring, everything},
	// A function knows Lambda's events and nothing else: everything that it does is in a package of its own. Their tests read the journal.
	"functions/failure":  {wiring, "batch deployed receiver incident remedy"},
	"functions/change":   {wiring, "batch deployed watcher incident"},
	"functions/sweep":    {wiring, "batch deployed sweeper incident"},
	"functions/approval": {wiring, "desk deployed grants incident journal seal"},
	"functions/remedy":   {wiring, "batch deployed worker grants incident"},
	"functions/page":     {wiring, "functionurl site deployed grants incident link settings"},
	"functions/slack":    {wiring, "functionurl buttons deployed grants incident choice"},
	"functions/notify":   {wiring, "batch deployed herald grants"},
}

// TestLayering holds the tree against the table.
func TestLayering(t *testing.T) {
	const root = "../.."
	g, err := readTree(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.packages) == 0 || g.packages["internal/layering"] == nil {
		t.Fatalf("read tree: %d packages and not this one: the test looks in the wrong place", len(g.packages))
	}
	if g.outside, err = listOutside(t.Context(), root, g.module); err != nil {
		t.Fatal(err)
	}
	for _, v := range check(layers, g) {
		t.Error(v)
	}
}

// check returns every way in which the graph departs from the table, sorted.
func check(table map[string]layer, g graph) []string {
	c := checker{table: table, graph: g}
	c.tableAgrees()
	for _, path := range slices.Sorted(maps.Keys(g.packages)) {
		p := g.packages[path]
		l, known := table[path]
		if !known {
			c.report("%s: unknown package: add it to the table in internal/layering", path)
		}
		c.programsAreRoofs(path, p)
		c.jsiiStaysInInfra(path, p)
		if !known {
			continue
		}
		c.direction(path, p, l)
		c.purity(path, p, l)
	}
	c.labJudgesAlone()
	c.functionsLinkNoLab()
	slices.Sort(c.found)
	return slices.Compact(c.found)
}

type checker struct {
	table map[string]layer
	graph graph
	found []string
}

func (c *checker) report(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

// tableAgrees keeps the table itself within the rules, so that widening a line cannot open a kind.
func (c *checker) tableAgrees() {
	mayImport := map[kind][]kind{pure: {pure}, order: {pure}, edge: {pure}}
	for path, l := range c.table {
		kinds, limited := mayImport[l.kind]
		if limited && l.imports == everything {
			c.report("table: %s package %s may not import everything", l.kind, path)
			continue
		}
		for _, imported := range l.allowed() {
			target, known := c.table[imported]
			switch {
			case !known:
				c.report("table: %s names %s, which is not in the table", path, imported)
			case limited && !slices.Contains(kinds, target.kind):
				c.report("table: %s package %s may not import %s package %s", l.kind, path, target.kind, imported)
			}
		}
	}
}

// programsAreRoofs holds for tests, too: what a program is made of is tested below it or through it.
func (c *checker) programsAreRoofs(path string, p *pkg) {
	for _, i := range p.imports {
		inside, ok := c.graph.inside(i.what)
		if ok && inside != path && underAny(inside, "functions", "cmd", "infra") {
			c.report("%s: %s imports %s: nothing imports functions, cmd or infra", i.at, path, inside)
		}
	}
}

// jsiiStaysInInfra keeps Node's bridge out of the Lambdas and the command line, however deep it is hidden.
func (c *checker) jsiiStaysInInfra(path string, p *pkg) {
	if underAny(path, "infra") {
		return
	}
	for _, i := range p.imports {
		if chain := c.graph.reach(i.what, isJsii); chain != nil {
			c.report("%s: %s imports %s: jsii lives in infra alone", i.at, path, strings.Join(chain, " → "))
		}
	}
}

func (c *checker) direction(path string, p *pkg, l layer) {
	for _, i := range p.imports {
		inside, ok := c.graph.inside(i.what)
		switch {
		case !ok || inside == path:
		case l.imports == everything && underAny(inside, "internal", "docs"):
		case slices.Contains(l.allowed(), inside):
		case i.test && c.table[inside].kind == lab:
		default:
			c.report("%s: %s may not import %s", i.at, path, inside)
		}
	}
}

// purity is about what ships: a test may read testdata, wait and roll dice.
func (c *checker) purity(path string, p *pkg, l layer) {
	if l.kind != pure && l.kind != order {
		return
	}
	for _, i := range p.imports {
		if i.test {
			continue
		}
		if i.what == "context" && l.kind == order {
			continue
		}
		if impure(i.what) {
			c.report("%s: %s package %s may not import %s", i.at, l.kind, path, i.what)
			continue
		}
		// Only the network is followed: nearly everything, fmt for one, has os underneath.
		if chain := c.graph.reach(i.what, isNetwork); chain != nil {
			c.report("%s: %s package %s reaches the network: %s", i.at, l.kind, path, strings.Join(chain, " → "))
		}
	}
	for _, u := range p.clock {
		if !u.test {
			c.report("%s: %s package %s uses %s: take the time as a value", u.at, l.kind, path, u.what)
		}
	}
	for _, u := range p.goroutines {
		if !u.test && l.kind == pure {
			c.report("%s: pure package %s starts a goroutine", u.at, path)
		}
	}
}

// labNeverReaches is what the lab must not know even through others. These packages say what S3 will ask for and what is to be
// done; a lab that used them would share their mistakes and prove nothing.
var labNeverReaches = []string{"internal/route", "internal/diagnose", "internal/patch", "internal/guard"}

func (c *checker) labJudgesAlone() {
	c.neverReaches("internal/lab", func(target string) bool { return slices.Contains(labNeverReaches, target) })
}

func (c *checker) functionsLinkNoLab() {
	for path := range c.graph.packages {
		if underAny(path, "functions") {
			c.neverReaches(path, func(target string) bool {
				l, known := c.table[target]
				return known && l.kind == lab
			})
		}
	}
}

// neverReaches follows imports within the module, tests left out.
func (c *checker) neverReaches(from string, banned func(path string) bool) {
	next := func(path string) []string {
		p := c.graph.packages[path]
		if p == nil {
			return nil
		}
		var paths []string
		for _, i := range p.imports {
			if inside, ok := c.graph.inside(i.what); ok && !i.test && inside != path {
				paths = append(paths, inside)
			}
		}
		return paths
	}
	for _, start := range next(from) {
		if chain := search(start, next, banned); chain != nil {
			c.report("%s: never reaches %s: imports %s", from, chain[len(chain)-1], strings.Join(chain, " → "))
		}
	}
}

// allowed returns the paths of the packages that the layer may import, or nothing where that is everything.
func (l layer) allowed() []string {
	if l.imports == everything {
		return nil
	}
	names := strings.Fields(l.imports)
	for i, name := range names {
		names[i] = "internal/" + name
	}
	return names
}

// impure tells which imports a pure package does without. All of net is out except its two packages of plain values, and all of
// github.com/aws, because even the event types for Lambdas bring an HTTP client with them.
func impure(path string) bool {
	switch path {
	case "net/netip", "net/url":
		return false
	case "context", "hash/maphash", "crypto/rand", "io/ioutil", "path/filepath", "plugin":
		return true
	}
	return underAny(path, "os", "net", "log", "math/rand", "runtime", "syscall", "github.com/aws", "golang.org/x/sys")
}

func isNetwork(path string) bool {
	return path == "net/http" || underAny(path, "github.com/aws")
}

func isJsii(path string) bool {
	return underAny(
		path,
		"github.com/aws/jsii-runtime-go", "github.com/aws/aws-cdk-go", "github.com/aws/constructs-go", "github.com/cdklabs",
	)
}

// underAny reports whether path is one of the roots or below one.
func underAny(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}
