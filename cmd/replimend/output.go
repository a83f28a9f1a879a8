package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/replimend/replimend/internal/render"
)

// output is a buffered stream that remembers that writing failed: nobody looks at the error of each line, and a full disk
// must not end as success.
type output struct {
	buffer *bufio.Writer
	err    error
}

func newOutput(w io.Writer) *output { return &output{buffer: bufio.NewWriterSize(w, 64<<10)} }

// Write always succeeds; Flush says whether anything was lost.
func (o *output) Write(text []byte) (int, error) {
	if o.err == nil {
		_, o.err = o.buffer.Write(text)
	}
	return len(text), nil
}

func (o *output) Flush() error {
	if o.err == nil {
		o.err = o.buffer.Flush()
	}
	return o.err
}

// closedByReader says whether the reader of a pipe went away, as head does when it has seen enough. There is nobody left to
// tell.
func (o *output) closedByReader() bool {
	return errors.Is(o.err, syscall.EPIPE) || errors.Is(o.err, io.ErrClosedPipe)
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// width is how wide the page is: the terminal's width, or COLUMNS, or 80 as for a letter.
func (p *program) width() int {
	if file, ok := p.stdout.(*os.File); ok && isTerminal(file) {
		if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 0 {
			return w
		}
	}
	if w, err := strconv.Atoi(p.getenv("COLUMNS")); err == nil && w > 0 {
		return min(w, 500)
	}
	return 80
}

// environment is getenv as termenv wants to ask it. NO_COLOR and CLICOLOR_FORCE are among what it asks for.
type environment struct{ getenv func(string) string }

func (e environment) Getenv(key string) string { return e.getenv(key) }

func (e environment) Environ() []string { return nil }

// printer is the page for standard output. Only a terminal gets colours.
func (p *program) printer() render.Printer {
	options := []termenv.OutputOption{termenv.WithEnvironment(environment{p.getenv})}
	r := lipgloss.NewRenderer(p.stdout, options...)
	r.SetColorProfile(termenv.NewOutput(p.stdout, options...).EnvColorProfile())
	return render.New(r, p.width())
}

// bar says on standard error how far something long is; it goes when it is full.
func (p *program) bar(what string, total int) *progressbar.ProgressBar {
	return progressbar.NewOptions(
		total, progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
		progressbar.OptionEnableColorCodes(false), progressbar.OptionSetPredictTime(false),
	)
}
