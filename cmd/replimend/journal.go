package main

import (
	"bufio"
	"context"
	"errors"
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
	return kept, leave, err
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
		return "", ctx.Err()
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
