package notify_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/settings"
)

// TestConformance: what every tool is held to, by what its endpoint answers: which answers are asked for again and which are not, that
// nothing is lost, that nobody who heard something hears it again, and that the secret shows nowhere. Where a tool was not told the
// message comes again, and is told then.
func TestConformance(t *testing.T) {
	t.Parallel()
	nonsense := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>\x00\xff"+token) }
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 10 {
			if _, err := fmt.Fprint(w, strings.Repeat(token, 1<<10)); err != nil {
				return
			}
		}
	}
	elsewhere := status(http.StatusTemporaryRedirect, "Location", "https://hooks.example.com/stolen")
	slackOnly := func(tool settings.Tool) notify.Fate { // which alone says in the body whether it took a message
		if tool == settings.Slack {
			return notify.Failed
		}
		return notify.Sent
	}
	always := func(f notify.Fate) func(settings.Tool) notify.Fate {
		return func(settings.Tool) notify.Fate { return f }
	}
	for name, tt := range map[string]struct {
		script   []http.HandlerFunc
		requests int
		fate     func(settings.Tool) notify.Fate
		waits    time.Duration // at least, between the first request and the last
	}{
		"success":                        {nil, 1, always(notify.Sent), 0},
		"throttled":                      {[]http.HandlerFunc{status(429, "Retry-After", "7")}, 2, always(notify.Sent), 7 * time.Second},
		"throttled until a date":         {[]http.HandlerFunc{throttledUntil(9 * time.Second)}, 2, always(notify.Sent), 8 * time.Second},
		"throttled for a fraction":       {[]http.HandlerFunc{status(429, "Retry-After", "2.5")}, 2, always(notify.Sent), 2500 * time.Millisecond},
		"throttled without a time":       {[]http.HandlerFunc{status(429), status(429)}, 3, always(notify.Sent), 0},
		"throttled for an hour":          {[]http.HandlerFunc{status(429, "Retry-After", "3600")}, 1, always(notify.Failed), 0},
		"throttled by nonsense":          {[]http.HandlerFunc{status(429, "Retry-After", "-1e309")}, 2, always(notify.Sent), 0},
		"throttled for longer than ever": {[]http.HandlerFunc{status(429, "Retry-After", "1e308")}, 1, always(notify.Failed), 0},
		"down, and up again":             {[]http.HandlerFunc{status(500), status(503)}, 3, always(notify.Sent), 0},
		"down":                           {[]http.HandlerFunc{status(500), status(502), status(503), status(504)}, 4, always(notify.Failed), 0},
		"a connection that breaks":       {[]http.HandlerFunc{broken}, 2, always(notify.Sent), 0},
		"a hang, and success":            {[]http.HandlerFunc{hang}, 2, always(notify.Sent), 10 * time.Second},
		"only hangs":                     {[]http.HandlerFunc{hang, hang, hang, hang}, 4, always(notify.Failed), 0},
		"not taken":                      {[]http.HandlerFunc{status(400)}, 1, always(notify.Failed), 0},
		"not let in":                     {[]http.HandlerFunc{status(401)}, 1, always(notify.Failed), 0},
		"not there":                      {[]http.HandlerFunc{status(404)}, 1, always(notify.Failed), 0},
		"too large":                      {[]http.HandlerFunc{status(413)}, 1, always(notify.Failed), 0},
		"nonsense":                       {[]http.HandlerFunc{nonsense}, 1, slackOnly, 0},
		"an endless answer":              {[]http.HandlerFunc{endless}, 1, slackOnly, 0},
		"sent elsewhere":                 {[]http.HandlerFunc{elsewhere}, 1, always(notify.Failed), 0},
		"sent elsewhere for good":        {[]http.HandlerFunc{status(301, "Location", "https://hooks.example.com/stolen")}, 1, always(notify.Failed), 0},
	} {
		for _, tool := range settings.Tools() {
			if tool.ByTopic() {
				continue
			}
			t.Run(name+"/"+tool.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, []settings.Target{target(tool, settings.English)}, tt.script...)
					m := message(t, "proposal")
					began := time.Now()
					fate, want := w.tell(t, m, "")["oncall"], tt.fate(tool)
					if fate != want {
						t.Errorf("%s, want %s; log:\n%s", fate, want, &w.log)
					}
					if took := time.Since(began); took > 55*time.Second {
						t.Errorf("it took %s, and left no time for the book", took)
					}
					got := w.requests()
					if len(got) != tt.requests {
						t.Fatalf("%d requests, want %d; log:\n%s", len(got), tt.requests, &w.log)
					}
					for _, r := range got {
						if r.host != strings.TrimSuffix(got[0].host, ":443") && r.host != got[0].host || strings.Contains(r.url, "stolen") {
							t.Errorf("a request went to %s", r.host)
						}
					}
					if waited := got[len(got)-1].at.Sub(got[0].at); waited < tt.waits {
						t.Errorf("asked again after %s, want %s", waited, tt.waits)
					}
					// What was not told comes again, and what was told is not told again.
					w.next()
					w.clock.Pass(6 * time.Minute)
					fate = w.tell(t, m, "")["oncall"]
					more := len(w.requests()) - len(got)
					if want == notify.Sent && (fate != notify.Known || more != 0) || want == notify.Failed && (fate != notify.Sent || more != 1) {
						t.Errorf("the message comes again: %s, and %d requests", fate, more)
					}
					if fate = w.tell(t, m, "")["oncall"]; fate != notify.Known || len(w.requests()) != len(got)+more {
						t.Errorf("the message comes once more: %s", fate)
					}
					n, err := w.book.Notice(t.Context(), m.Incident, "oncall")
					if err != nil || n.Said == "" {
						t.Errorf("the book has %+v, %v", n, err)
					}
					if all := w.log.String() + fmt.Sprintf("%+v %+v", n, w.again); strings.Contains(all, token) {
						t.Errorf("the secret shows:\n%s", all)
					}
				})
			})
		}
	}
}

func throttledUntil(d time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status(429, "Retry-After", time.Now().Add(d).UTC().Format(http.TimeFormat))(w, r)
	}
}

// TestTopicsConform: the same of what a topic serves. SNS itself is asked again by the SDK.
func TestTopicsConform(t *testing.T) {
	t.Parallel()
	for _, tool := range settings.Tools() {
		if !tool.ByTopic() {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, []settings.Target{target(tool, settings.Japanese)})
			m := message(t, "proposal")
			w.topics.errs = []error{errors.New("throttled")}
			for _, want := range []notify.Fate{notify.Failed, notify.Sent, notify.Known} {
				if fate := w.tell(t, m, "")["oncall"]; fate != want {
					t.Errorf("%s: %s, want %s", tool, fate, want)
				}
			}
			if len(w.topics.in) != 1 || !strings.HasSuffix(*w.topics.in[0].TopicArn, tool.String()) || len(w.requests()) != 0 {
				t.Errorf("%s: published %v", tool, w.topics.in)
			}
			if subject := w.topics.in[0].Subject; (subject != nil) != (tool == settings.Email) {
				t.Errorf("%s: subject %v", tool, subject)
			}
		})
	}
}
