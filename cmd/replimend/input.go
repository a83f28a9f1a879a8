package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// stream is the argument that stands for standard input.
const stream = "-"

// label is how messages call an input.
func label(name string) string {
	if name == stream {
		return "standard input"
	}
	return name
}

// read is a whole file of at most limit bytes.
func (p *program) read(name string, limit int) ([]byte, error) {
	in := p.stdin
	if name != stream {
		file, err := openFile(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", label(name), cause(err))
	}
	if len(data) > limit {
		return nil, hinted(fmt.Errorf("%s: larger than the limit of %d bytes", label(name), limit), "give a smaller file")
	}
	return data, nil
}

func openFile(name string) (*os.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, hinted(fmt.Errorf("read %s: %w", name, cause(err)), "check the path, or give - to read standard input")
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return nil, hinted(fmt.Errorf("read %s: is a directory", name), "give the files in it, as in "+name+"/*.json")
	}
	return file, nil
}

// cause is an error without the operation and path that the caller names itself.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// at puts the file's name before an error, as FILE:line:column when the error knows its place.
func at(name string, err error) error {
	var syntax *jsontree.SyntaxError
	if errors.As(err, &syntax) && syntax.Pos.Line > 0 {
		return fmt.Errorf("%s:%w", label(name), err)
	}
	return fmt.Errorf("%s: %w", label(name), err)
}

// access is what diagnose is asked about a principal; no principal means that routes are asked about.
type access struct{ principal, bucket, operation, key string }

// inputs is what diagnose and plan read.
type inputs struct {
	snapshots []string
	buckets   []string // live ones
	live      live
	event     string
	route     string
	access    access // of diagnose only
}

// files is the snapshots of the flag and the arguments, which the shell makes of a pattern.
func (in *inputs) files(args []string, command string) ([]string, error) {
	files := append(append([]string(nil), in.snapshots...), args...)
	if len(files) == 0 {
		return nil, hinted(errors.New("no snapshot is given"), command+" --snapshot FILE, or - for standard input, or --live BUCKET to read it from AWS")
	}
	streams := 0
	for _, name := range append(files, in.event) {
		if name == stream {
			streams++
		}
	}
	if streams > 1 {
		return nil, hinted(errors.New("standard input can be read only once"), "give - for one of the files")
	}
	return files, nil
}

// hints is what the event file holds, nothing without one.
func (p *program) hints(name string) (signal.Evidence, error) {
	if name == "" {
		return signal.Evidence{}, nil
	}
	data, err := p.read(name, signal.MaxEvent)
	if err != nil {
		return signal.Evidence{}, err
	}
	found, err := signal.ParseEvidence(data)
	switch {
	case errors.Is(err, signal.ErrIgnored):
		return found, hinted(at(name, err), "give an event of S3 replication, a denied KMS call of the role or a change that CloudTrail recorded, or leave --event out")
	case err != nil:
		return found, hinted(at(name, err), "give the event as S3, SNS, SQS or CloudTrail delivered it: docs/examples/events has one of each")
	}
	for _, change := range found.Changes {
		p.note("%s", change)
	}
	return found, nil
}

// diagnosis is the diagnosis of one snapshot file.
func (p *program) diagnosis(name string, hints signal.Evidence) (diagnose.Diagnosis, error) {
	s, err := p.snapshot(name)
	if err != nil {
		return diagnose.Diagnosis{}, err
	}
	return p.judge(name, s, hints), nil
}

// judge is the diagnosis of a snapshot, and says when nothing in it can be diagnosed.
func (p *program) judge(name string, s *snapshot.Snapshot, hints signal.Evidence) diagnose.Diagnosis {
	d := diagnose.Diagnose(s, hints.Signals, hints.Denials...)
	if len(d.Routes) == 0 && !replicationKnown(s) {
		// Nothing to diagnose is not the same as nothing wrong when nobody read the rules.
		p.raise(exitUnclear)
		p.note("%s holds no replication configuration: its rules are not known", label(name))
	}
	return d
}

func (p *program) snapshot(name string) (*snapshot.Snapshot, error) {
	data, err := p.read(name, snapshot.MaxSize)
	if err != nil {
		return nil, err
	}
	s, err := snapshot.Parse(data)
	if err != nil {
		return nil, hinted(at(name, err), "mend that place, or take the snapshot anew with replimend snapshot")
	}
	return s, nil
}

// replicationKnown says whether the snapshot knows the replication configuration of each of its buckets, and has any.
func replicationKnown(s *snapshot.Snapshot) bool {
	for _, b := range s.Buckets {
		if b.State == snapshot.Present && b.V.Replication.State == snapshot.Missing {
			return false
		}
	}
	return len(s.Buckets) > 0
}
