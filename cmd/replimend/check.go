package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/snapshot"
	"github.com/replimend/replimend/internal/template"
)

// checking is what check reads.
type checking struct {
	account, region, format        string
	parameters, imports, providers []string
}

func (p *program) checkCommand() *cobra.Command {
	var c checking
	cmd := &cobra.Command{
		Use:   "check FILE[@ACCOUNT/REGION] [FILE…]",
		Short: "Judge the routes of templates and plans before they are deployed",
		Long: `Read CloudFormation templates (JSON or YAML, as the CDK writes them, too) and what terraform show -json prints of a plan or a
state, and judge the replication routes in the world that they would create. Nothing is deployed or asked of AWS.

All files make one world, so that the two sides of a route may be in two of them. A file is followed by where it is deployed:
dst.yaml@444455556666/eu-west-1, dst.yaml@444455556666 or dst.yaml@/eu-west-1; --account and --region are for files that do not
say. For one file that names no account or Region any will do, and one is assumed. Terraform's provider configurations
settle it themselves where they say so; --provider aws.replica=444455556666/eu-west-1 says it for one of them.

What AWS will make up, as the names of buckets that have none, gets a stand-in; what cannot be resolved is not guessed: its
route is unknown unless it fails whatever the value is. docs/check.md says what is resolved.

Exit code: 0 all routes are healthy or degraded or there is none, 1 some route is broken, 2 an argument or a file is wrong,
3 none is broken but one is conditional or unknown, or perhaps not seen.`,
		Example: `  replimend check docs/examples/templates/role-lacks-decrypt.yaml
  replimend check docs/examples/templates/source.yaml@111122223333/us-east-1 docs/examples/templates/copy.yaml@444455556666/eu-west-1
  replimend check --format json docs/examples/templates/plan.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.check(cmd, c, args) },
	}
	f := cmd.Flags()
	f.StringVar(&c.account, "account", "", "`ACCOUNT` of files that do not say theirs")
	f.StringVar(&c.region, "region", "", "`REGION` of files that do not say theirs")
	f.StringArrayVar(&c.parameters, "parameter", nil, "`NAME=VALUE` of a CloudFormation parameter, or of AWS::StackName")
	f.StringArrayVar(&c.imports, "import", nil, "`EXPORT=VALUE` for Fn::ImportValue of an export that no file has")
	f.StringArrayVar(&c.providers, "provider", nil, "`KEY=ACCOUNT/REGION` of a provider configuration of Terraform, as aws.replica")
	f.StringVar(&c.format, "format", "text", "`FORMAT` of the output: text or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (p *program) check(cmd *cobra.Command, c checking, args []string) error {
	if c.format != "text" && c.format != "json" {
		return badFormat(cmd, c.format, "text or json")
	}
	if len(args) == 0 {
		return hinted(errors.New("no file is given"), cmd.CommandPath()+" FILE, or - for standard input")
	}
	options, err := c.options()
	if err != nil {
		return err
	}
	files, err := p.templates(c, args)
	if err != nil {
		return err
	}
	result, err := template.Parse(files, options)
	if err != nil {
		return badTemplate(err)
	}
	d := judge(result)
	for _, r := range d.Routes {
		p.raise(exitOf(r.Verdict))
	}
	if slices.ContainsFunc(result.Notes, func(n template.Note) bool { return n.Incomplete }) {
		p.raise(exitUnclear)
	}
	if c.format == "json" {
		return p.json(checked{d, result.Sources, result.Notes, result.Origins})
	}
	p.showCheck(d, result)
	return nil
}

// checked is a Diagnosis with what it was made from.
type checked struct {
	diagnose.Diagnosis
	Sources []template.Source `json:"sources"`
	Notes   []template.Note   `json:"notes"`
	// Origins are by bucket name, ARN and document, as findings name them.
	Origins map[string]template.Origin `json:"origins"`
}

// badTemplate says where, as FILE:line:column, and what to do.
func badTemplate(err error) error {
	var place *template.PlaceError
	var file *template.FileError
	hint := "give a CloudFormation template, or what terraform show -json prints"
	if errors.As(err, &place) {
		hint = "give it as FILE@ACCOUNT/REGION, or --account and --region; for Terraform --provider KEY=ACCOUNT/REGION"
	}
	if errors.As(err, &file) {
		err = at(file.File, file.Err)
	}
	return hinted(err, hint)
}

func (c checking) options() (template.Options, error) {
	var o template.Options
	var err error
	if o.Parameters, err = pairs("parameter", c.parameters); err != nil {
		return o, err
	}
	if o.Imports, err = pairs("import", c.imports); err != nil {
		return o, err
	}
	providers, err := pairs("provider", c.providers)
	if err != nil {
		return o, err
	}
	o.Providers = make(map[string]template.Home, len(providers))
	for key, text := range providers {
		m := homeText.FindStringSubmatch("@" + text)
		if m == nil {
			return o, hinted(fmt.Errorf("--provider %s=%s: want ACCOUNT/REGION", key, text), "for example --provider aws.replica=444455556666/eu-west-1")
		}
		o.Providers[key] = template.Home{Account: m[2], Region: m[3] + m[4]}
	}
	return o, nil
}

func pairs(flag string, texts []string) (map[string]string, error) {
	out := make(map[string]string, len(texts))
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, hinted(fmt.Errorf("--%s %s: want NAME=VALUE", flag, text), "for example --"+flag+" Name=value")
		}
		out[name] = value
	}
	return out, nil
}

// homeText is the end of an argument that says where its file is deployed: @ACCOUNT/REGION, @ACCOUNT or @/REGION.
var homeText = regexp.MustCompile(`^(.*)@(?:([0-9]{12})(?:/([a-z0-9-]+))?|/([a-z0-9-]+))$`)

func (p *program) templates(c checking, args []string) ([]template.File, error) {
	var files []template.File
	streams := 0
	for _, arg := range args {
		f := template.File{Label: arg}
		if m := homeText.FindStringSubmatch(arg); m != nil {
			f = template.File{Label: m[1], Account: m[2], Region: m[3] + m[4]}
		}
		if f.Label == stream {
			streams++
		}
		if streams > 1 {
			return nil, hinted(errors.New("standard input can be read only once"), "give - for one of the files")
		}
		var err error
		if f.Data, err = p.read(f.Label, template.MaxSize); err != nil {
			return nil, err
		}
		f.Account, f.Region, f.Label = cmp.Or(f.Account, c.account), cmp.Or(f.Region, c.region), label(f.Label)
		files = append(files, f)
	}
	return files, nil
}

// judge diagnoses the world as far as it is resolved. A route that is not broken there, but is where everything that is not
// resolved is taken at its best, is broken for certain. No plan is made of documents that nobody wrote.
func judge(result *template.Result) diagnose.Diagnosis {
	d := diagnose.Diagnose(result.Snapshot, nil)
	if result.AtBest != nil {
		best := diagnose.Diagnose(result.AtBest, nil)
		for i, r := range best.Routes {
			if r.Verdict == diagnose.Broken && d.Routes[i].Verdict != diagnose.Broken {
				r.Plan = nil
				for k := range r.Findings {
					if r.Findings[k].Severity == diagnose.Fault {
						r.Findings[k].Message += ", whatever is not resolved"
					}
				}
				d.Routes[i] = r
			}
		}
	}
	for i := range d.Routes {
		for k := range d.Routes[i].Findings {
			f := &d.Routes[i].Findings[k]
			if o, ok := originOf(result, f.Document); ok {
				f.Message += " [" + o.String() + "]"
			}
		}
	}
	return d
}

// originOf is where a document stands: the policy itself, or else what it belongs to.
func originOf(result *template.Result, ref snapshot.Ref) (template.Origin, bool) {
	if o, ok := result.Origins[ref.String()]; ok {
		return o, true
	}
	o, ok := result.Origins[ref.ID]
	return o, ok
}

func (p *program) showCheck(d diagnose.Diagnosis, result *template.Result) {
	for _, s := range result.Sources {
		text := fmt.Sprintf("read %s: %s, %s, %s, %s; ", s.Label, s.Format, counted(s.Buckets, "bucket"), counted(s.Roles, "role"), counted(s.Keys, "key"))
		where := "account " + s.Account + ", " + s.Region
		if len(s.Assumed) > 0 {
			where += " (" + strings.Join(s.Assumed, " and ") + " assumed: nothing in it depends on that)"
		}
		fmt.Fprintln(p.out, render.Clean(text+where))
	}
	for _, id := range standIns(d, result) {
		fmt.Fprintln(p.out, render.Clean("  "+id+" stands for "+result.Origins[id].String()))
	}
	p.showNotes(result.Notes)
	fmt.Fprintln(p.out)
	if len(d.Routes) == 0 && slices.ContainsFunc(result.Notes, func(n template.Note) bool { return n.Incomplete }) {
		fmt.Fprintln(p.out, "no replication rule can be judged: see the notes")
		return
	}
	if len(d.Routes) == 0 {
		fmt.Fprintln(p.out, "no enabled replication rule in any file: there is nothing to judge")
	}
	for i, r := range d.Routes {
		if i > 0 {
			fmt.Fprintln(p.out)
		}
		page := p.printer()
		fmt.Fprint(p.out, page.Explanation(r))
		if r.Plan != nil {
			fmt.Fprint(p.out, "\n"+page.Plan(*r.Plan))
		}
		fmt.Fprint(p.out, "\n"+page.Line("next step", beforeDeploying(r)))
	}
}

// beforeDeploying is what a person does about a route that does not exist yet.
func beforeDeploying(r diagnose.Route) string {
	switch {
	case r.Verdict == diagnose.Healthy:
		return "none: as far as the files say, every request that S3 will make is allowed"
	case r.Verdict == diagnose.Degraded:
		return "read the warnings: objects will arrive, and something is lost or unseen"
	case r.Verdict == diagnose.Unknown:
		return "resolve what the notes name, or check again when it is deployed (replimend diagnose)"
	case r.Plan != nil:
		return "write what the edit adds into the file before it is deployed, with its own references in place of the stand-ins"
	default:
		return "mend the file as the findings say before it is deployed"
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// showNotes prints those first for which a route may be missing, and of very many not all.
func (p *program) showNotes(notes []template.Note) {
	notes = slices.Clone(notes)
	slices.SortStableFunc(notes, func(a, b template.Note) int {
		switch {
		case a.Incomplete == b.Incomplete:
			return 0
		case a.Incomplete:
			return -1
		default:
			return 1
		}
	})
	const most = 20
	for _, n := range notes[:min(most, len(notes))] {
		where := n.File
		if n.Line > 0 {
			where = fmt.Sprintf("%s:%d", n.File, n.Line)
		}
		fmt.Fprintln(p.out, render.Clean(fmt.Sprintf("note: %s: %s: %s", where, n.Address, n.Text)))
	}
	if more := len(notes) - most; more > 0 {
		fmt.Fprintf(p.out, "note: and %s more; --format json has them all\n", counted(more, "note"))
	}
}

// standIns is the made-up names that the routes speak of, sorted.
func standIns(d diagnose.Diagnosis, result *template.Result) []string {
	var said strings.Builder
	for _, r := range d.Routes {
		fmt.Fprintln(&said, r.Source, r.Destination, r.Role, r.Of.ReplicaKey, r.Objects)
		for _, f := range r.Findings {
			fmt.Fprintln(&said, f.Message)
		}
	}
	var out []string
	for id, o := range result.Origins {
		if o.StandIn && strings.Contains(said.String(), id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
