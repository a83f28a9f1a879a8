package deployed

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

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
		err := Notices{Log: slog.New(slog.NewJSONHandler(&log, nil)), To: tt.to}.Notify(t.Context(), m)
		if (err == nil) != tt.logged || strings.Contains(log.String(), m.Title) != tt.logged {
			t.Errorf("%s: %v; log:\n%s", name, err, &log)
		}
		if d, ok := tt.to.(*desk); ok && (len(d.got) != 1 || d.got[0].Target != "" || d.got[0].Message.Title != m.Title) {
			t.Errorf("%s: handed over %+v", name, d.got)
		}
	}
}

// TestNoticesAreMeasured in the format of CloudWatch.
func TestNoticesAreMeasured(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	MeasureNotices(t.Context(), slog.New(slog.NewJSONHandler(&log, nil)), time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC), 2, 1, 3)
	got := figures(t, log.String())
	if want := (map[string]float64{"NoticesSent": 2, "NoticesHeld": 1, "NoticesFailed": 3}); len(got) != 1 || !maps.Equal(got[0], want) {
		t.Errorf("figures %v, want %v", got, want)
	}
}
