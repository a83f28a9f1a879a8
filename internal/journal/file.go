package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/replimend/replimend/internal/incident"
)

// File keeps the record in one file, for people who have no table. Several commands can use it at the same time.
//
// A file that cannot be read as a record, because it was cut or is something else, is an error and stays as it is.
type File struct {
	// Path is the file. It is made when something is kept, readable by nobody else, with its folder.
	Path string
	Now  func() time.Time
}

// fileSchema is the version of the file.
const fileSchema = "replimend/journal/v1"

// kept is what the file holds.
type kept struct {
	Schema string `json:"schema"`
	*incident.Ledger
}

// pollLock is how often is looked whether another command is done with the file, which is after milliseconds.
const pollLock = 10 * time.Millisecond

// read is the record as it is. A file that does not exist is an empty one.
func (f *File) read() (*incident.Ledger, error) {
	data, err := os.ReadFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return &incident.Ledger{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	in := kept{Ledger: &incident.Ledger{}}
	// What this version does not know would be lost with the next write.
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("read journal %s: it is damaged or no journal, and is left as it is: %w", f.Path, err)
	}
	if in.Schema != fileSchema || d.More() {
		return nil, fmt.Errorf("read journal %s: it is no journal of schema %s, and is left as it is", f.Path, fileSchema)
	}
	return in.Ledger, nil
}

// change reads the record, changes it and keeps it, while no other command does. With an error nothing is kept.
func (f *File) change(ctx context.Context, do func(*incident.Ledger) error) error {
	dir := filepath.Dir(f.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep journal: %w", err)
	}
	// The file itself is replaced, so what is locked is another one, which stays.
	guard, err := os.OpenFile(f.Path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("keep journal: %w", err)
	}
	defer guard.Close() // which releases the lock, as the end of the process does
	if err := f.hold(ctx, guard, false); err != nil {
		return err
	}
	l, err := f.read()
	if err != nil {
		return err
	}
	if err := do(l); err != nil {
		return err
	}
	return f.write(dir, l)
}

// hold waits until the lock of a file can be had.
func (f *File) hold(ctx context.Context, of *os.File, shared bool) error {
	for {
		locked, err := tryLock(of, shared)
		if err != nil {
			return fmt.Errorf("lock journal %s: %w", f.Path, err)
		}
		if locked {
			return nil
		}
		if err := wait(ctx, pollLock); err != nil {
			return fmt.Errorf("wait for journal %s: %w", f.Path, err)
		}
	}
}

// Attend says that a command works with the record until leave is called or its process ends, however it ends. Where no other one
// does, the locks of documents that are left in the file are of commands that ended without releasing them, and are released.
func (f *File) Attend(ctx context.Context) (leave func(), err error) {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return nil, fmt.Errorf("keep journal: %w", err)
	}
	present, err := os.OpenFile(f.Path+".present", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep journal: %w", err)
	}
	alone, err := tryLock(present, false)
	if err == nil && alone {
		err = f.change(ctx, func(l *incident.Ledger) error { l.Locks = nil; return nil })
	}
	if err == nil {
		err = f.hold(ctx, present, true)
	}
	if err != nil {
		present.Close()
		return nil, err
	}
	return func() { present.Close() }, nil
}

// write puts the file in place whole, so that a crash leaves the old one or the new one.
func (f *File) write(dir string, l *incident.Ledger) error {
	data, err := json.MarshalIndent(kept{fileSchema, l}, "", "  ")
	if err != nil {
		return fmt.Errorf("keep journal: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".journal-*") // which nobody else may read
	if err != nil {
		return fmt.Errorf("keep journal: %w", err)
	}
	defer os.Remove(tmp.Name()) // there is nothing to remove once it has its name
	_, err = tmp.Write(append(data, '\n'))
	if e := tmp.Sync(); err == nil {
		err = e
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), f.Path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("keep journal %s: %w", f.Path, err)
	}
	return nil
}

// syncDir makes a new name in the folder outlast a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Open has the failures join the route's open incident, or opens one, as a Ledger does.
func (f *File) Open(ctx context.Context, i incident.Incident) (out incident.Incident, err error) {
	err = f.change(ctx, func(l *incident.Ledger) (err error) { out, err = l.Open(i); return err })
	return out, err
}

// Record keeps the incident in place of its last revision.
func (f *File) Record(ctx context.Context, i incident.Incident) (out incident.Incident, err error) {
	err = f.change(ctx, func(l *incident.Ledger) (err error) { out, err = l.Record(i); return err })
	return out, err
}

// Past is what is known of a route.
func (f *File) Past(_ context.Context, r incident.Route, since time.Time) (incident.Past, error) {
	l, err := f.read()
	if err != nil {
		return incident.Past{}, err
	}
	return l.Past(r, since), nil
}

// Get is the incident of that ID, or incident.ErrNotFound.
func (f *File) Get(_ context.Context, id string) (incident.Incident, error) {
	l, err := f.read()
	if err != nil {
		return incident.Incident{}, err
	}
	return l.Get(id)
}

// List is the incidents that the filter takes, the newest first.
func (f *File) List(_ context.Context, filter incident.Filter) ([]incident.Summary, error) {
	l, err := f.read()
	if err != nil {
		return nil, err
	}
	return l.List(filter), nil
}

// Lock takes all the documents or none.
func (f *File) Lock(ctx context.Context, holder string, documents []string) error {
	return f.change(ctx, func(l *incident.Ledger) error { return l.Lock(holder, documents, f.Now()) })
}

// Unlock releases those of the documents that the holder holds.
func (f *File) Unlock(ctx context.Context, holder string, documents []string) error {
	return f.change(ctx, func(l *incident.Ledger) error { l.Unlock(holder, documents); return nil })
}

// Suppress silences a route.
func (f *File) Suppress(ctx context.Context, s incident.Suppression) error {
	return f.change(ctx, func(l *incident.Ledger) error { return l.Suppress(s, f.Now()) })
}

// Lift ends that very suppression, or removes it when it has ended.
func (f *File) Lift(ctx context.Context, s incident.Suppression) error {
	return f.change(ctx, func(l *incident.Ledger) error { l.Lift(s); return nil })
}

// Suppressed is the suppressions that are in force for a route.
func (f *File) Suppressed(_ context.Context, r incident.Route) ([]incident.Suppression, error) {
	l, err := f.read()
	if err != nil {
		return nil, err
	}
	return l.Suppressed(r, f.Now()), nil
}

// Silences is every suppression, those that have ended included.
func (f *File) Silences(context.Context) ([]incident.Suppression, error) {
	l, err := f.read()
	if err != nil {
		return nil, err
	}
	return l.Silences(), nil
}

// Approve keeps an answer that is sealed.
func (f *File) Approve(ctx context.Context, a incident.Approval) error {
	return f.change(ctx, func(l *incident.Ledger) error { return l.Approve(a) })
}

// Answers is every answer to the plans of an incident, the latest first.
func (f *File) Answers(_ context.Context, id string) ([]incident.Approval, error) {
	l, err := f.read()
	if err != nil {
		return nil, err
	}
	return l.Answers(id), nil
}

// Use marks an answer as used, once.
func (f *File) Use(ctx context.Context, a incident.Approval) error {
	return f.change(ctx, func(l *incident.Ledger) error { return l.Use(a, f.Now()) })
}
