// Command replimend finds out why S3 replication fails and cures it: from files, on AWS and in a built-in cloud.
//
// It only wires: it reads files and connects to AWS, hands them to the packages under internal, and prints what they say. Every run is
// a value of type program, so that tests run the same program with other streams.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/render"
)

func main() {
	// Interrupted, a command ends as soon as nothing is half done: what is written by then is kept in the journal, or taken back.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// Once is enough for that. Whoever cannot wait for it does it again, and ends the process at once: the journal has what was intended.
	settled := context.AfterFunc(ctx, func() {
		stop()
		fmt.Fprintln(os.Stderr, "note: interrupted: what is half done is taken back first; a second time ends it at once")
	})
	p := &program{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}
	code := p.run(os.Args[1:])
	settled()
	stop()
	os.Exit(code)
}

// The exit codes. People's scripts hold on to them: see the help of each command.
const (
	exitFine    = 0
	exitBroken  = 1
	exitError   = 2
	exitUnclear = 3
)

// program is one run of the command line.
type program struct {
	ctx            context.Context // of the whole run; nil: one without an end
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string

	out   *output       // stdout, buffered
	lines *bufio.Reader // stdin, once somebody was asked
	code  int
}

func (p *program) run(args []string) int {
	p.out = newOutput(p.stdout)
	root := p.command()
	root.SetArgs(args)
	ctx := p.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	if cmd, err := root.ExecuteContextC(ctx); err != nil {
		p.fail(suggest(cmd, args, err))
	}
	if err := p.out.Flush(); err != nil && !p.out.closedByReader() {
		p.fail(hinted(fmt.Errorf("write standard output: %w", cause(err)), "what was printed is not complete"))
	} else if err != nil {
		p.raise(exitError)
	}
	return p.code
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "replimend",
		Short: "Find out why S3 replication fails, and what cures it",
		Long: `Replimend finds out why S3 replication fails, hop by hop, and proposes the smallest edit of a policy that cures it.

diagnose, plan and check read files and change nothing; "replimend rehearse" shows a whole cure in a built-in cloud. None of them
needs an AWS account. snapshot, sweep, routes and preflight read a live account and change nothing. apply, undo and enroll write to
it: each shows what it would write, and asks first. approve and reject answer the deployed robot.`,
		Example: `  replimend diagnose --snapshot docs/examples/role-lacks-decrypt.json
  replimend rehearse --only cross-account-kms --show all`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(p.stdin)
	root.SetOut(p.out)
	root.SetErr(p.stderr)
	root.DisableSuggestions = true // they would make further lines of the error; the hint has them
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return hinted(err, cmd.CommandPath()+" --help shows an example")
	})
	root.AddCommand(
		p.diagnoseCommand(), p.planCommand(), p.checkCommand(), p.simulateCommand(), p.rehearseCommand(), p.explainCommand(), p.versionCommand(),
		p.snapshotCommand(), p.sweepCommand(), p.routesCommand(), p.applyCommand(), p.undoCommand(), p.incidentsCommand(), p.suppressionsCommand(),
		p.enrollCommand(), p.preflightCommand(), p.approveCommand(), p.rejectCommand(), p.recallCommand(), p.pageCommand(),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		cmd.DisableFlagsInUseLine = true
	}
	return root
}

// suggest adds to an error about a command that there is not the one that was perhaps meant, or where those that there are stand.
func suggest(cmd *cobra.Command, args []string, err error) error {
	if !strings.HasPrefix(err.Error(), "unknown command") {
		return err
	}
	cmd.SuggestionsMinimumDistance = 2
	for _, arg := range args {
		if near := cmd.SuggestionsFor(arg); len(near) > 0 {
			return hinted(err, "did you mean "+strings.Join(near, " or ")+"?")
		}
	}
	if cmd.HasSubCommands() {
		return hinted(err, cmd.CommandPath()+" --help lists the commands")
	}
	return hinted(err, cmd.CommandPath()+" --help shows an example")
}

// raise remembers the worst exit code: an error, then a broken route, then an unclear one.
func (p *program) raise(code int) {
	order := map[int]int{exitFine: 0, exitUnclear: 1, exitBroken: 2, exitError: 3}
	if order[code] > order[p.code] {
		p.code = code
	}
}

// fail prints an error as one line and, where there is one, a hint, and sees to it that the run ends as failed.
func (p *program) fail(err error) {
	if err == nil {
		return
	}
	p.raise(exitError)
	text, _, _ := strings.Cut(plain(err), "\n")
	hint := "replimend --help lists the commands"
	var advice *adviceError
	if errors.As(err, &advice) {
		hint = advice.hint
	}
	_ = p.out.Flush() // what was already said comes first
	fmt.Fprintf(p.stderr, "replimend: %s\nhint: %s\n", render.Clean(text), render.Clean(hint))
}
