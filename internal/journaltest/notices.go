package journaltest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
)

// Notices is where it is kept what targets were told.
type Notices interface {
	Notice(ctx context.Context, id, target string) (incident.Notice, error)
	KeepNotice(ctx context.Context, n incident.Notice) (incident.Notice, error)
	Admit(ctx context.Context, target string, most int) (wait time.Duration, err error)
}

// MemoryNotices keeps notices in memory, as an incident.Notices does, for whoever tests what uses them.
type MemoryNotices struct {
	Clock *Clock
	mu    sync.Mutex
	kept  incident.Notices
}

// Notice is that of incident.Notices.
func (m *MemoryNotices) Notice(_ context.Context, id, target string) (incident.Notice, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept.Notice(id, target), nil
}

// KeepNotice is Keep of incident.Notices.
func (m *MemoryNotices) KeepNotice(_ context.Context, n incident.Notice) (incident.Notice, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept.Keep(n)
}

// Admit is that of incident.Notices.
func (m *MemoryNotices) Admit(_ context.Context, target string, most int) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept.Admit(target, most, m.Clock.Now()), nil
}

// RunNotices runs the suite of notices. Each call of make gives an empty subject that goes by the clock. Sequences is how many random
// sequences of operations are compared with an incident.Notices.
func RunNotices(t *testing.T, sequences int, make func(t *testing.T, c *Clock) Notices) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Notices, *Clock){
		"OfTwoWhoSpeakOneIsStale": oneHasTheWord, "OfManyWhoSpeakOneIsFirst": manySpeak, "NoMoreThanThereIsRoomFor": room,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := NewClock()
			test(t, make(t, c), c)
		})
	}
	t.Run("ItDoesWhatNoticesDo", func(t *testing.T) {
		t.Parallel()
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			if n++; n > sequences {
				return
			}
			c := NewClock()
			compare(rt, make(t, c), c)
		})
	})
}

func oneHasTheWord(t *testing.T, s Notices, c *Clock) {
	first, err := s.Notice(t.Context(), "inc-1", "oncall")
	if err != nil || first != (incident.Notice{Incident: "inc-1", Target: "oncall"}) {
		t.Fatalf("nothing was said, and remembered is %+v, %v", first, err)
	}
	first.Until, first.Said, first.Channel = c.Now().Add(time.Minute), "digest", "C1"
	second, err := s.KeepNotice(t.Context(), first)
	if err != nil || second.Revision != 1 {
		t.Fatalf("kept as %+v, %v", second, err)
	}
	if _, err := s.KeepNotice(t.Context(), first); !errors.Is(err, incident.ErrStale) {
		t.Errorf("who was slower: %v", err)
	}
	second.Over = true
	if _, err := s.KeepNotice(t.Context(), second); err != nil {
		t.Error(err)
	}
	if _, err := s.KeepNotice(t.Context(), second); !errors.Is(err, incident.ErrStale) {
		t.Errorf("who was slower: %v", err)
	}
	for _, other := range [][2]string{{"inc-2", "oncall"}, {"inc-1", "team"}} {
		if n, err := s.Notice(t.Context(), other[0], other[1]); err != nil || n.Revision != 0 {
			t.Errorf("%v: %+v, %v", other, n, err)
		}
	}
}

func manySpeak(t *testing.T, s Notices, _ *Clock) {
	var all sync.WaitGroup
	var mu sync.Mutex
	first := 0
	for i := range 8 {
		all.Go(func() {
			_, err := s.KeepNotice(t.Context(), incident.Notice{Incident: "inc-1", Target: "oncall", Said: fmt.Sprint(i)})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				first++
			case !errors.Is(err, incident.ErrStale):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if first != 1 {
		t.Errorf("%d were first", first)
	}
}

func room(t *testing.T, s Notices, c *Clock) {
	admit := func(target string, want time.Duration) {
		t.Helper()
		if wait, err := s.Admit(t.Context(), target, 2); err != nil || wait != want {
			t.Errorf("%s: wait %s, %v; want %s", target, wait, err, want)
		}
	}
	admit("oncall", 0)
	c.Pass(20 * time.Minute)
	admit("oncall", 0)
	admit("oncall", 40*time.Minute)
	admit("team", 0)
	c.Pass(39 * time.Minute)
	admit("oncall", time.Minute)
	c.Pass(time.Minute)
	admit("oncall", 0)
	admit("oncall", 20*time.Minute)
}

// compare does random things to a subject and to an incident.Notices.
func compare(t *rapid.T, s Notices, c *Clock) {
	var want incident.Notices
	id, target := rapid.SampledFrom([]string{"inc-1", "inc-2"}), rapid.SampledFrom([]string{"oncall", "team"})
	agree := func(a, b any, errA, errB error) {
		t.Helper()
		if errors.Is(errA, incident.ErrStale) != errors.Is(errB, incident.ErrStale) || (errA == nil) != (errB == nil) {
			t.Fatalf("error %v, want %v", errB, errA)
		}
		if diff := cmp.Diff(a, b, cmpopts.EquateApproxTime(0)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"notice": func(t *rapid.T) {
			i, to := id.Draw(t, "incident"), target.Draw(t, "target")
			got, err := s.Notice(context.Background(), i, to)
			agree(want.Notice(i, to), got, nil, err)
		},
		"keep": func(t *rapid.T) {
			n := want.Notice(id.Draw(t, "incident"), target.Draw(t, "target"))
			n.Revision += int64(rapid.IntRange(-1, 1).Draw(t, "revision"))
			n.Said, n.Held = rapid.StringMatching("[a-z]*").Draw(t, "said"), rapid.StringMatching("[a-z]*").Draw(t, "held")
			n.Latest, n.Over, n.Channel = c.Now(), rapid.Bool().Draw(t, "over"), rapid.StringMatching("[a-z]*").Draw(t, "channel")
			if n.Revision < 0 {
				n.Revision = 7
			}
			a, errA := want.Keep(n)
			b, errB := s.KeepNotice(context.Background(), n)
			agree(a, b, errA, errB)
		},
		"admit": func(t *rapid.T) {
			to, most := target.Draw(t, "target"), rapid.IntRange(1, 4).Draw(t, "most")
			got, err := s.Admit(context.Background(), to, most)
			agree(want.Admit(to, most, c.Now()), got, nil, err)
		},
		"wait": func(t *rapid.T) { c.Pass(time.Duration(rapid.IntRange(0, 40).Draw(t, "minutes")) * time.Minute) },
	})
}
