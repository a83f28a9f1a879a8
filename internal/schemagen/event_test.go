package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
)

// TestEventsMeetTheSchema: what is put on the bus of each message, and of one with nothing in it, and no other form.
func TestEventsMeetTheSchema(t *testing.T) {
	t.Parallel()
	schema := compile(t, "event.schema.json")
	all := notifytest.Messages()
	all["nothing"] = incident.Message{Outcome: incident.Open, Severity: incident.Info}
	for name, m := range all {
		text, err := json.Marshal(notify.EventOf(m))
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, schema, string(text)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		if other := strings.Replace(string(text), `"severity":"`, `"severity":"very `, 1); validate(t, schema, other) == nil {
			t.Errorf("%s: the schema takes another severity", name)
		}
	}
}
