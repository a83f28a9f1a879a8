package journal_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/journaltest"
)

func file(t *testing.T) *journal.File {
	t.Helper()
	return &journal.File{Path: filepath.Join(t.TempDir(), "deep", "down", "journal.json"), Now: func() time.Time { return journaltest.Start }}
}

func opened(n int) incident.Incident {
	r := incident.Route{Source: "a", Rule: "r", Destination: "b"}
	at := journaltest.Start.Add(time.Duration(n) * time.Second)
	return incident.Incident{ID: incident.ID(r, at), Route: r, Outcome: incident.Open, Opened: at}
}

// TestNobodyElseReadsTheFile: it holds policies and keys of objects.
func TestNobodyElseReadsTheFile(t *testing.T) {
	t.Parallel()
	f := file(t)
	if _, err := f.Open(t.Context(), opened(0)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{f.Path: 0o600, filepath.Dir(f.Path): 0o700 | os.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, want %v, %v", path, info.Mode(), want, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(f.Path), ".journal-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind %v, %v", left, err)
	}
}

// TestAFileThatIsNoJournalStays: what cannot be read is not written over, whatever is asked.
func TestAFileThatIsNoJournalStays(t *testing.T) {
	t.Parallel()
	f := file(t)
	if _, err := f.Open(t.Context(), opened(0)); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":           "",
		"cut":             string(good[:len(good)/2]),
		"something else":  "route: a\n",
		"other JSON":      `{"name": "package"}`,
		"another schema":  strings.Replace(string(good), "journal/v1", "journal/v2", 1),
		"a newer member":  strings.Replace(string(good), `"incidents"`, `"more": 1, "incidents"`, 1),
		"twice":           string(good) + string(good),
		"an old incident": strings.Replace(string(good), "incident/v1", "incident/v0", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := file(t)
			if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.Path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			_, openErr := f.Open(ctx, opened(1))
			_, recordErr := f.Record(ctx, opened(1))
			_, getErr := f.Get(ctx, "inc-1")
			_, listErr := f.List(ctx, incident.Filter{})
			_, pastErr := f.Past(ctx, opened(1).Route, journaltest.Start)
			_, suppressedErr := f.Suppressed(ctx, opened(1).Route)
			_, silencesErr := f.Silences(ctx)
			for did, err := range map[string]error{
				"open": openErr, "record": recordErr, "get": getErr, "list": listErr, "past": pastErr, "suppressed": suppressedErr, "silences": silencesErr,
				"lock": f.Lock(ctx, "a", []string{"b"}), "unlock": f.Unlock(ctx, "a", []string{"b"}),
			} {
				if err == nil || !strings.Contains(err.Error(), "left as it is") {
					t.Errorf("%s: %v", did, err)
				}
			}
			if left, err := os.ReadFile(f.Path); err != nil || string(left) != text {
				t.Errorf("it is %q now, %v", left, err)
			}
		})
	}
}

// TestNobodySeesHalfAFile: who reads while another command writes sees what was there before or what is there afterwards.
func TestNobodySeesHalfAFile(t *testing.T) {
	t.Parallel()
	f := file(t)
	i, err := f.Open(t.Context(), opened(0))
	if err != nil {
		t.Fatal(err)
	}
	i.Changes = []incident.Change{{Kind: "key-policy", ID: "k", State: incident.Written, After: journaltest.Document(t, 1, 100_000)}}
	done := make(chan error)
	go func() {
		for range 50 {
			if i, err = f.Record(t.Context(), i); err != nil {
				break
			}
		}
		done <- err
	}()
	for last := int64(0); ; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
		got, err := f.Get(t.Context(), opened(0).ID)
		if err != nil || got.Revision < last {
			t.Errorf("revision %d after %d, %v", got.Revision, last, err)
		}
		last = got.Revision
	}
}

// TestACommandThatIsKilledLeavesTheFileWhole: a process that records as fast as it can is killed again and again; what stands in the
// file afterwards is a journal, with everything that was confirmed.
func TestACommandThatIsKilledLeavesTheFileWhole(t *testing.T) {
	t.Parallel()
	f := file(t)
	if _, err := f.Open(t.Context(), opened(0)); err != nil {
		t.Fatal(err)
	}
	for n := range 8 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestChildRecords$", "-test.v")
		cmd.Env = append(os.Environ(), "REPLIMEND_TEST_JOURNAL="+f.Path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		confirmed, buffer := "", make([]byte, 4096)
		for strings.Count(confirmed, "recorded\n") < 3+n {
			k, err := out.Read(buffer)
			if err != nil {
				t.Fatalf("the child ended: %v\n%s", err, confirmed)
			}
			confirmed += string(buffer[:k])
		}
		before, err := f.Get(t.Context(), opened(0).ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		after, err := f.Get(t.Context(), opened(0).ID)
		if err != nil || after.Revision < before.Revision {
			t.Fatalf("revision %d after %d, %v", after.Revision, before.Revision, err)
		}
		// The lock died with the process.
		if err := f.Lock(t.Context(), "a", []string{"b"}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChildRecords is the process of the test above.
func TestChildRecords(t *testing.T) {
	path := os.Getenv("REPLIMEND_TEST_JOURNAL")
	if path == "" {
		t.Skip("it runs as a child only")
	}
	f := &journal.File{Path: path, Now: time.Now}
	for {
		i, err := f.Get(t.Context(), opened(0).ID)
		if err != nil {
			t.Fatal(err)
		}
		i.Become(incident.Manual, journaltest.Start, "again")
		if _, err := f.Record(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.WriteString("recorded\n"); err != nil {
			return
		}
	}
}

// TestLocksOfTheDeadAreReleased, and those of whoever is still there are not.
func TestLocksOfTheDeadAreReleased(t *testing.T) {
	t.Parallel()
	f := file(t)
	attend := func() func() {
		t.Helper()
		leave, err := f.Attend(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return leave
	}
	dies := attend()
	if err := f.Lock(t.Context(), "first", []string{"key-policy k"}); err != nil {
		t.Fatal(err)
	}
	stays := attend()
	if err := f.Lock(t.Context(), "second", []string{"key-policy k"}); !errors.Is(err, incident.ErrLocked) {
		t.Fatalf("the lock of a command that is there: %v", err)
	}
	dies() // as the end of a process does, without releasing anything
	third := attend()
	if err := f.Lock(t.Context(), "third", []string{"key-policy k"}); !errors.Is(err, incident.ErrLocked) {
		t.Fatalf("another command is still there, and may be the one that holds it: %v", err)
	}
	stays()
	third()
	defer attend()()
	if err := f.Lock(t.Context(), "fourth", []string{"key-policy k"}); err != nil {
		t.Errorf("nobody is there any more: %v", err)
	}
}
