package deployed

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/queue"
)

// desk is a queue of notices.
type desk struct {
	got []queue.Notice
	err error
}

func (d *desk) SendNotice(_ context.Context, n queue.Notice, _ time.Duration) error {
	d.got = append(d.got, n)
	return d.err
}

// TestNotices: what people are told is handed over and logged; it is not logged where it could not be handed over, and without anybody to
// tell the log is where it is said.
func TestNotices(t *testing.T) {
	t.Parallel()
	m := notifytest.Messages()["applied"]
	failing := &desk{err: errors.New("no")}
	for name, tt := range map[string]struct {
		to     NoticeSender
		logged bool
	}{"nobody to tell": {nil, true}, "a queue": {&desk{}, true}, "no queue any more": {failing, false}} {
		var log bytes.Buffer
		err := notices{slog.New(slog.NewJSONHandler(&log, nil)), tt.to}.Notify(t.Context(), m)
		if (err == nil) != tt.logged || strings.Contains(log.String(), m.Title) != tt.logged {
			t.Errorf("%s: %v; log:\n%s", name, err, &log)
		}
		if d, ok := tt.to.(*desk); ok && (len(d.got) != 1 || d.got[0].Target != "" || d.got[0].Message.Title != m.Title) {
			t.Errorf("%s: handed over %+v", name, d.got)
		}
	}
}

// TestHerald: a message comes again where somebody could not be told or it is none, and each line says what became of it.
func TestHerald(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var asked []string
	h := &Herald{
		Log: slog.New(slog.NewJSONHandler(&log, nil)), Now: func() time.Time { return time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC) },
		Tell: func(_ context.Context, m incident.Message, only string) []notify.Result {
			asked = append(asked, m.Title+"/"+only)
			out := []notify.Result{{Target: notify.OnBus, Fate: notify.Sent}, {Target: "a", Fate: notify.Sent}, {Target: "b", Fate: notify.Held}}
			if only == "c" {
				out = []notify.Result{{Target: "c", Fate: notify.Failed, Err: errors.New("tell c: status 400")}, {Target: "d", Fate: notify.Known}}
			}
			return out
		},
	}
	const at = `"At":"2026-11-28T03:05:00Z"`
	again := h.Handle(t.Context(), []Delivery{
		{ID: "1", Body: `{"message":{"Title":"one",` + at + `}}`},
		{ID: "2", Body: `{"message":{"Title":"two",` + at + `},"target":"c"}`},
		{ID: "3", Body: `nonsense`},
	})
	if !slices.Equal(again, []string{"2", "3"}) || !slices.Equal(asked, []string{"one/", "two/c"}) {
		t.Errorf("to come again: %v; asked %v", again, asked)
	}
	got := figures(t, log.String())
	want := []map[string]float64{
		{"NoticesSent": 1, "NoticesHeld": 1, "NoticesFailed": 0}, {"NoticesSent": 0, "NoticesHeld": 0, "NoticesFailed": 1},
	}
	if !slices.EqualFunc(got, want, maps.Equal[map[string]float64, map[string]float64]) {
		t.Errorf("figures %v, want %v", got, want)
	}
	if n := strings.Count(log.String(), `"level":"ERROR"`); n != 2 || !strings.Contains(log.String(), "tell c: status 400") {
		t.Errorf("%d errors:\n%s", n, &log)
	}
}
