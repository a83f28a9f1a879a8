package notify_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/settings"
)

// waiting is a message in a queue, from a time on.
type waiting struct {
	message incident.Message
	target  string
	due     time.Time
}

// TestNothingIsLostOrToldTwice: whatever order messages come in, however often, whichever tool fails and whenever it is quiet, each target
// hears states of an incident in their order, none twice, and in the end the latest.
func TestNothingIsLostOrToldTwice(t *testing.T) {
	t.Parallel()
	state := regexp.MustCompile(`inc-(\d{20}) state-(\d+)`)
	rapid.Check(t, func(t *rapid.T) {
		clock, topics := journaltest.NewClock(), &topics{}
		var queue []waiting
		targets := []settings.Target{
			named("plain", settings.Email, nil),
			named("night", settings.Email, func(x *settings.Target) { x.Quiet = settings.Quiet{From: "12:30", Until: "14:10"} }),
			named("few", settings.Email, func(x *settings.Target) { x.PerHour = 2 }),
		}
		for i := range targets {
			targets[i].Topic.Resource = targets[i].Name
		}
		teller := &notify.Teller{
			Targets: targets, Book: &journaltest.MemoryNotices{Clock: clock}, Topics: topics, Events: &bus{}, Now: clock.Now,
			Again: func(_ context.Context, m incident.Message, target string, delay time.Duration) error {
				if delay <= 0 || delay > 15*time.Minute {
					t.Fatalf("given back for %s", delay)
				}
				queue = append(queue, waiting{m, target, clock.Now().Add(delay)})
				return nil
			},
		}
		deliver := func(i int, keep bool) {
			x := queue[i]
			failed := false
			for _, r := range teller.Tell(context.Background(), x.message, x.target) {
				failed = failed || r.Fate == notify.Failed
			}
			switch {
			case failed:
				queue[i].due = clock.Now().Add(6 * time.Minute)
			case !keep:
				queue = slices.Delete(queue, i, i+1)
			}
		}
		last, over := map[string]int{}, map[string]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"news": func(t *rapid.T) {
				id := rapid.SampledFrom([]string{"inc-00000000000000000001", "inc-00000000000000000002"}).Draw(t, "incident")
				if over[id] {
					return
				}
				clock.Pass(time.Second)
				last[id]++
				i := incident.Incident{ID: id, Outcome: incident.Refused, Opened: journaltest.Start}
				if over[id] = rapid.IntRange(0, 9).Draw(t, "over") == 0; over[id] {
					i.Outcome = incident.Resolved
				}
				queue = append(queue, waiting{due: clock.Now(), message: incident.NewMessage(i, incident.Message{
					At: clock.Now(), Broke: []string{fmt.Sprintf("%s state-%d", id, last[id])}, Headline: incident.HeadRefused,
					Severity: rapid.SampledFrom([]incident.Severity{incident.Info, incident.Warning, incident.Critical}).Draw(t, "severity"),
				})})
			},
			"deliver": func(t *rapid.T) {
				if len(queue) > 0 {
					deliver(rapid.IntRange(0, len(queue)-1).Draw(t, "message"), rapid.Bool().Draw(t, "comes again"))
				}
			},
			"fail": func(t *rapid.T) {
				for range rapid.IntRange(1, 3).Draw(t, "failures") {
					topics.errs = append(topics.errs, errors.New("throttled"))
				}
			},
			"wait": func(t *rapid.T) { clock.Pass(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute) },
		})
		topics.errs = nil
		for round := 0; len(queue) > 0; round++ {
			if round > 1000 {
				t.Fatalf("%d messages still wait", len(queue))
			}
			for i := len(queue) - 1; i >= 0; i-- {
				if !queue[i].due.After(clock.Now()) {
					deliver(i, false)
				}
			}
			clock.Pass(time.Minute)
		}
		heard := map[string]int{}
		for _, in := range topics.in {
			found := state.FindStringSubmatch(*in.Message)
			if found == nil {
				t.Fatalf("told %s", *in.Message)
			}
			n, _ := strconv.Atoi(found[2])
			key := *in.TopicArn + " inc-" + found[1]
			if n <= heard[key] {
				t.Errorf("%s: told state %d after %d", key, n, heard[key])
			}
			heard[key] = n
		}
		for id, n := range last {
			for _, x := range targets {
				if got := heard[x.Topic.String()+" "+id]; got != n {
					t.Errorf("%s heard state %d of %s, want %d", x.Name, got, id, n)
				}
			}
		}
	})
}
