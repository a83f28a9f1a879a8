package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/simulate"
)

func (p *program) simulateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "simulate [FILE|-]",
		Short: "Answer authorization questions, one JSON object a line",
		Long: `Answer authorization questions that stand one a line in JSON: who, which action, on what, in which context, under which
policies. Each line of input gives one line of output, {"id": …, "decision": …, "why": […]}, as soon as it is read. The
decision is allowed, explicit_deny, implicit_deny, or unknown when the context says that a key is not known.

A line that cannot be read gives {"id": …, "error": …}; the others are still answered. Empty lines are passed over.

Exit code: 0 every line was answered, 2 some line was not, or the file could not be read.`,
		Example: `  echo '{"id":"ex-1","principal":"arn:aws:iam::111122223333:role/repl","action":"s3:GetObject","resource":"arn:aws:s3:::src/a","resource_account":"111122223333","identity_policies":[{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::src/*"}}]}' | replimend simulate`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) <= 1 {
				return nil
			}
			return hinted(fmt.Errorf("simulate takes one file, got %d", len(args)), "cat FILE… | replimend simulate")
		},
		RunE: func(_ *cobra.Command, args []string) error {
			name, in := stream, p.stdin
			if len(args) == 1 && args[0] != stream {
				file, err := openFile(args[0])
				if err != nil {
					return err
				}
				defer file.Close()
				name, in = args[0], file
			}
			return p.simulate(name, in)
		},
	}
}

// simulate answers line by line. The output is flushed whenever no further line is at hand, so that a program on the other
// end of two pipes gets its answer before it asks the next question.
func (p *program) simulate(name string, in io.Reader) error {
	lines := bufio.NewReaderSize(in, 1<<20)
	count, bad, first := 0, 0, 0
	for {
		line, long, err := readLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read %s: %w", label(name), cause(err))
		}
		count++
		if len(bytes.TrimSpace(line)) > 0 || long {
			answer := simulate.Answer{Error: fmt.Sprintf("the line is longer than the limit of %d bytes", simulate.MaxLine)}
			if !long {
				answer = simulate.Ask(line)
			}
			if answer.Error != "" {
				bad++
				if first == 0 {
					first = count
				}
			}
			text, err := render.JSONLine(answer)
			if err != nil {
				return err
			}
			_, _ = p.out.Write(text)
		}
		if err != nil {
			break
		}
		if lines.Buffered() == 0 && p.out.Flush() != nil {
			return nil // run reports it
		}
	}
	if bad > 0 {
		return hinted(fmt.Errorf("%s: %d lines could not be read, the first is line %d", label(name), bad, first),
			`the "error" of their answers says why`)
	}
	return nil
}

// readLine is the next line, or that it is too long; then its text is passed over without being kept.
func readLine(in *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(line)+len(bytes.TrimSuffix(part, []byte("\n"))) > simulate.MaxLine; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\r\n"), long, err
		}
	}
}
