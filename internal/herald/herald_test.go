package herald_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/herald"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/notify"
)

// figures is a line of the log that has some. That it is in the format is for the tests of deployed to say.
type figures struct {
	AWS                                     json.RawMessage `json:"_aws"`
	NoticesSent, NoticesHeld, NoticesFailed int
}

// TestHerald: a message comes again where somebody could not be told or it is none, and each line says what became of it.
func TestHerald(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var asked []string
	h := &herald.Herald{
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
	again := h.Handle(t.Context(), []deployed.Delivery{
		{ID: "1", Body: `{"message":{"Title":"one",` + at + `}}`},
		{ID: "2", Body: `{"message":{"Title":"two",` + at + `},"target":"c"}`},
		{ID: "3", Body: `nonsense`},
	})
	if !slices.Equal(again, []string{"2", "3"}) || !slices.Equal(asked, []string{"one/", "two/c"}) {
		t.Errorf("to come again: %v; asked %v", again, asked)
	}
	var got []figures
	for line := range strings.Lines(log.String()) {
		var f figures
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if f.AWS != nil {
			got = append(got, figures{NoticesSent: f.NoticesSent, NoticesHeld: f.NoticesHeld, NoticesFailed: f.NoticesFailed})
		}
	}
	if want := []figures{{NoticesSent: 1, NoticesHeld: 1}, {NoticesFailed: 1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("figures %+v, want %+v", got, want)
	}
	if n := strings.Count(log.String(), `"level":"ERROR"`); n != 2 || !strings.Contains(log.String(), "tell c: status 400") {
		t.Errorf("%d errors:\n%s", n, &log)
	}
}
