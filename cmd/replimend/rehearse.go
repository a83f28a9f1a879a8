package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/rehearsal"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/settings"
)

// rehearsing is the flags of rehearse.
type rehearsing struct {
	list bool
	only []string
	step bool
	show string
	chat chatting

	pages   string // the folder that pages go to; "": none are written
	serve   bool
	address string
}

func (p *program) rehearseCommand() *cobra.Command {
	var r rehearsing
	cmd := &cobra.Command{
		Use:   "rehearse [--list] [--only PATTERN [PATTERN…]] [--step] [--show all|failed|none] [--pages FOLDER] [--serve]",
		Short: "Break and mend replication in a built-in cloud",
		Long: `Play scenarios in a cloud that exists in memory only: a fault, an object that fails to replicate, the event of S3, and all
that replimend does about it: diagnosis, plan, guard, patch, replay, proof and the message to people. The cloud has its own idea
of what S3 asks for, so that it judges the diagnosis rather than repeats it.

--pages writes a page for each incident of the scenarios that are played. --serve shows the incidents to browsers on this machine until
Ctrl-C ends it: replimend rehearse --only cross-account-kms --serve

Exit code: 0 every scenario is green, 1 some scenario is not, 2 an argument is wrong.`,
		Example: `  replimend rehearse --only cross-account-kms --show all
  replimend rehearse --only 'refused-*' roles
  replimend rehearse --only cross-account-kms --chat slack --lang ja
  replimend rehearse --list`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && len(r.only) == 0 {
				return hinted(fmt.Errorf("unexpected argument %q", args[0]), cmd.CommandPath()+" --only "+args[0])
			}
			r.only = append(r.only, args...)
			if r.step && !cmd.Flags().Changed("show") {
				r.show = "all"
			}
			return p.rehearse(cmd, r)
		},
		ValidArgsFunction: completeScenarios,
	}
	flags := cmd.Flags()
	flags.BoolVar(&r.list, "list", false, "list the scenarios and play none")
	flags.StringSliceVar(&r.only, "only", nil, "play the scenarios of this name or topic, or whose names match `PATTERN`, such as refused-*; further ones may follow")
	flags.BoolVar(&r.step, "step", false, "show every step and, on a terminal, wait for Enter after each")
	flags.StringVar(&r.show, "show", "failed", "show the steps of `WHICH` scenarios: all, failed or none")
	r.chat.flags(cmd)
	flags.StringVar(&r.pages, "pages", "", "write a page for each incident into this `FOLDER`, which is made where it is not there")
	flags.BoolVar(&r.serve, "serve", false, "show the incidents to browsers on this machine, until Ctrl-C ends it")
	flags.StringVar(&r.address, "address", "127.0.0.1:0", "serve on this `ADDRESS` of this machine; port 0 is any that is free")
	_ = cmd.RegisterFlagCompletionFunc("only", completeScenarios)
	_ = cmd.RegisterFlagCompletionFunc("show", cobra.FixedCompletions([]string{"all", "failed", "none"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// completeScenarios offers the scenarios that are not yet on the line.
func completeScenarios(_ *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all, err := rehearsal.All()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []cobra.Completion
	for _, s := range all {
		out = append(out, cobra.CompletionWithDesc(s.Name, s.Title))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (p *program) rehearse(cmd *cobra.Command, r rehearsing) error {
	if r.show != "all" && r.show != "failed" && r.show != "none" {
		return hinted(fmt.Errorf("unknown value %q of --show: want all, failed or none", r.show), cmd.CommandPath()+" --help shows an example")
	}
	targets, err := r.chat.targets()
	if err != nil {
		return err
	}
	all, err := rehearsal.All()
	if err != nil {
		return err
	}
	chosen, err := choose(all, r.only)
	if err != nil {
		return err
	}
	if r.list {
		p.list(chosen)
		return nil
	}
	if r.pages != "" {
		if err := os.MkdirAll(r.pages, 0o755); err != nil {
			return fmt.Errorf("make folder %s: %w", r.pages, cause(err))
		}
	}
	var listener net.Listener
	if r.serve { // an address that does not do is told at once, and not at the end
		if listener, err = listenLocally(cmd.Context(), r.address); err != nil {
			return err
		}
		defer listener.Close()
	}
	scores := make([]render.Score, 0, len(chosen))
	progress := p.progress(r, len(chosen))
	language := settings.Language(r.chat.language)
	shown := site{language: language}
	var pages []string
	for _, s := range chosen {
		score, result, message := p.play(cmd.Context(), s, r)
		if message != nil {
			text, err := payloads(p.printer(), *message, targets)
			if err != nil {
				return err
			}
			fmt.Fprint(p.out, text)
		}
		scores = append(scores, score)
		progress(score)
		shown.add(result.Incidents, result.Routes)
		if r.pages == "" {
			continue
		}
		for n, i := range result.Incidents {
			name := pageName(r.pages, s.Name, n)
			if err := writePage(name, i, copyOf(language, shown.now)); err != nil {
				return err
			}
			pages = append(pages, name)
		}
	}
	fmt.Fprint(p.out, "\n", p.board(chosen, scores))
	for _, name := range pages {
		fmt.Fprintf(p.out, "wrote %s\n", name)
	}
	if r.serve {
		return p.serve(cmd.Context(), &shown, listener)
	}
	return nil
}

// byTopic is the places of the scenarios of each topic, in the order of the topics; topics without any are left out.
func byTopic(scenarios []rehearsal.Scenario, each func(topic string, places []int)) {
	for _, topic := range rehearsal.Topics() {
		var places []int
		for i, s := range scenarios {
			if s.Topic == topic {
				places = append(places, i)
			}
		}
		if len(places) > 0 {
			each(topic, places)
		}
	}
}

func (p *program) list(scenarios []rehearsal.Scenario) {
	page := p.printer()
	byTopic(scenarios, func(topic string, places []int) {
		fmt.Fprint(p.out, page.Heading(fmt.Sprintf("%s (%d)", topic, len(places))), "\n")
		for _, i := range places {
			fmt.Fprint(p.out, "  ", render.Clean(scenarios[i].Name), "\n", indented(page, scenarios[i].Title))
		}
		fmt.Fprint(p.out, "\n")
	})
	fmt.Fprintf(p.out, "%d scenarios\n", len(scenarios))
}

// screenful is how many scenarios are listed one by one at the end. Of more than these, only what failed is.
const screenful = 15

// board is how the rehearsal ended: scenario by scenario, or topic by topic with the failures where there are many.
func (p *program) board(scenarios []rehearsal.Scenario, scores []render.Score) string {
	page := p.printer()
	if len(scores) <= screenful {
		return page.Scoreboard(scores)
	}
	var b strings.Builder
	var failed []render.Score
	writes, checks := 0, 0
	byTopic(scenarios, func(topic string, places []int) {
		green := 0
		for _, i := range places {
			writes += scores[i].Writes
			checks += scores[i].Checks
			if scores[i].Passed {
				green++
			} else {
				failed = append(failed, scores[i])
			}
		}
		b.WriteString(page.Line(topic, fmt.Sprintf("%d of %d green", green, len(places))))
	})
	if len(failed) > 0 {
		b.WriteString("\n")
		for _, s := range failed {
			b.WriteString(page.Line("failed", s.Text))
		}
	}
	fmt.Fprintf(&b, "\n%d of %d scenarios are green (checks: %d, writes: %d)\n", len(scores)-len(failed), len(scores), checks, writes)
	return b.String()
}

func indented(page render.Printer, text string) string {
	var b strings.Builder
	for line := range strings.Lines(page.Line("", text)) {
		b.WriteString(strings.TrimPrefix(line, strings.Repeat(" ", 12)))
	}
	return b.String()
}

// choose is the scenarios whose name or topic matches a pattern, by name, or all without patterns.
func choose(all []rehearsal.Scenario, patterns []string) ([]rehearsal.Scenario, error) {
	if len(patterns) == 0 {
		return all, nil
	}
	chosen := make([]bool, len(all))
	for _, pattern := range patterns {
		found := false
		for i, s := range all {
			byName, err := path.Match(pattern, s.Name)
			if err != nil {
				return nil, hinted(fmt.Errorf("read pattern %q: %w", pattern, err), "a pattern is a name in which * stands for any characters")
			}
			if byName || pattern == s.Topic {
				chosen[i], found = true, true
			}
		}
		if !found {
			return nil, hinted(fmt.Errorf("there is no scenario %q", pattern), "replimend rehearse --list names them")
		}
	}
	var out []rehearsal.Scenario
	for i, s := range all {
		if chosen[i] {
			out = append(out, s)
		}
	}
	return out, nil
}

// play plays one scenario. Its story is shown as it happens, or when it is over and went wrong. The message is the last one that people
// would have been sent; nil: none.
func (p *program) play(
	ctx context.Context, s rehearsal.Scenario, r rehearsing,
) (score render.Score, result rehearsal.Result, message *incident.Message) {
	var story bytes.Buffer
	var to io.Writer = &story
	if r.show == "all" {
		to = p.out
	}
	page := p.printer()
	fmt.Fprint(to, "\n", page.Heading(s.Name+": "+s.Title))
	for _, source := range s.Sources {
		fmt.Fprint(to, page.Line("source", source))
	}
	wait := func() {}
	if r.step && isTerminal(p.stdin) && isTerminal(p.stdout) {
		wait = p.waiter()
	}
	result = s.Run(ctx, lab.Options{}, func(step rehearsal.Step) {
		if step.Message != nil {
			message = step.Message
		}
		fmt.Fprint(to, "\n", show(page, step))
		wait()
	})
	score = render.Score{Name: s.Name, Passed: result.Err == nil, Writes: result.Writes, Checks: result.Checks}
	if result.Err != nil {
		score.Text = result.Err.Error()
		p.raise(exitBroken)
		fmt.Fprint(to, "\n", page.Line("failed", score.Text))
		if r.show == "failed" {
			_, _ = story.WriteTo(p.out)
		}
	}
	return score, result, message
}

// show is one step as text.
func show(page render.Printer, step rehearsal.Step) string {
	text := page.Line(step.Title, step.Text)
	switch {
	case step.Route != nil:
		text += page.Explanation(*step.Route)
	case step.Access != nil:
		text += page.AccessExplanation(*step.Access)
	case step.Plan != nil:
		text = page.Plan(*step.Plan) // which says that it is one
	case step.Verdict != nil:
		text += page.Verdict(*step.Verdict)
	case step.Message != nil:
		text += page.Message(*step.Message)
	}
	return text
}

// waiter waits for Enter. When there is no more input it waits no longer.
func (p *program) waiter() func() {
	in := bufio.NewReader(p.stdin)
	over := false
	return func() {
		if over || p.out.Flush() != nil {
			return
		}
		fmt.Fprint(p.stderr, "-- Enter shows the next step ")
		_, err := in.ReadString('\n')
		over = errors.Is(err, io.EOF)
	}
}

// progress says how far the rehearsal is: a bar on a terminal, a line for each scenario elsewhere, nothing beside stories
// that say it themselves.
func (p *program) progress(r rehearsing, total int) func(render.Score) {
	switch {
	case r.show == "all":
		return func(render.Score) {}
	case isTerminal(p.stdout) && isTerminal(p.stderr):
		bar := p.bar("rehearsing", total)
		_ = bar.RenderBlank()
		return func(render.Score) { _ = bar.Add(1) }
	default:
		return func(s render.Score) {
			word := "green"
			if !s.Passed {
				word = "failed"
			}
			fmt.Fprintf(p.out, "%s %s\n", word, render.Clean(s.Name))
			_ = p.out.Flush()
		}
	}
}
