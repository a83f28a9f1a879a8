package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/remedy"
)

// record is what the commands want of a journal.
type record interface {
	remedy.Journal
	remedy.Locker
	remedy.Suppressions
	Suppress(ctx context.Context, s incident.Suppression) error
	Lift(ctx context.Context, s incident.Suppression) error
	Silences(ctx context.Context) ([]incident.Suppression, error)
	Get(ctx context.Context, id string) (incident.Incident, error)
	List(ctx context.Context, f incident.Filter) ([]incident.Summary, error)
}

const tablePrefix = "dynamodb:"

func journalFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "journal", "", "`FILE` that keeps what is done and what was there before, or "+tablePrefix+"TABLE of the first profile's account; without it a file of your own")
}

// openJournal is the journal that the flag names, in the first profile's account.
func (p *program) openJournal(name string, base aws.Config) (record, error) {
	if table, ok := strings.CutPrefix(name, tablePrefix); ok {
		return &journal.Table{Client: dynamodb.NewFromConfig(base), Name: table, Now: time.Now}, nil
	}
	if name == "" {
		var err error
		if name, err = p.journalFile(); err != nil {
			return nil, err
		}
	}
	return &journal.File{Path: name, Now: time.Now}, nil
}

// attend is openJournal for commands that write. They leave when they are done.
func (p *program) attend(ctx context.Context, name string, base aws.Config) (kept record, leave func(), err error) {
	kept, err = p.openJournal(name, base)
	if err != nil {
		return nil, nil, err
	}
	file, ok := kept.(*journal.File)
	if !ok {
		return kept, func() {}, nil
	}
	leave, err = file.Attend(ctx)
	return kept, leave, unkept(err)
}

// unkept adds to an error of the journal what to do about it.
func unkept(err error) error {
	if err == nil {
		return nil
	}
	return hinted(err, "--journal names another one; a damaged file is for you to mend or to move: it has what stood there before each change")
}

// astray adds to an error on the way of an incident what to do about it.
func astray(err error, id string) error {
	var locked *incident.LockedError
	switch {
	case id == "":
		return hinted(err, "nothing was written: check the journal, the bucket and the credentials")
	case errors.As(err, &locked):
		return hinted(err, fmt.Sprintf("another run is at work there, as %s; it is free when that run ends, or at %s if it was killed: then run this again",
			locked.Holder, locked.Until.UTC().Format(time.RFC3339)))
	case errors.Is(err, incident.ErrStale):
		return hinted(err, "another run took the incident further meanwhile: replimend incidents show "+id+" tells how far")
	}
	return hinted(err, "replimend incidents show "+id+" tells how far it got, and what would undo what was written")
}

// openNamed is openJournal for commands that only read it: a file needs no credentials.
func (p *program) openNamed(ctx context.Context, name string, l live) (record, error) {
	var base aws.Config
	if strings.HasPrefix(name, tablePrefix) {
		c, err := p.connect(ctx, l)
		if err != nil {
			return nil, err
		}
		base = c.base
	} else if name != "" {
		// The default is made when something is kept. One that is named and not there is more likely a slip than an empty record.
		if _, err := os.Stat(name); err != nil {
			return nil, hinted(fmt.Errorf("read journal %s: %w", name, cause(err)), "--journal names a file that is there; without it the one of your own is read")
		}
	}
	return p.openJournal(name, base)
}

// line reads one line. It gives up when the context ends, and when there is no more input.
func (p *program) line(ctx context.Context) (string, error) {
	if p.lines == nil {
		p.lines = bufio.NewReader(p.stdin)
	}
	type read struct {
		text string
		err  error
	}
	answers := make(chan read, 1)
	go func() {
		text, err := p.lines.ReadString('\n')
		answers <- read{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", errInterrupted
	case a := <-answers:
		text := strings.TrimSpace(a.text)
		if errors.Is(a.err, io.EOF) && text == "" {
			return "", errNobody
		}
		if a.err != nil && !errors.Is(a.err, io.EOF) {
			return "", a.err
		}
		return text, nil
	}
}

// journalFile is where the journal is without a flag: in the folder for the state of programs.
// https://specifications.freedesktop.org/basedir-spec/latest/
func (p *program) journalFile() (string, error) {
	state := p.getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", hinted(err, "--journal FILE names one")
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "replimend", "journal.json"), nil
}
