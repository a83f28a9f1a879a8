package notify

import (
	"cmp"
	"time"

	"github.com/PagerDuty/go-pagerduty"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// pagerDuty opens an alert with the first message of an incident, adds to its log with the next ones, and resolves it with the last.
// It never acknowledges: that would keep PagerDuty from calling people, which only a person may decide.
//
// https://developer.pagerduty.com/docs/send-alert-event
type pagerDuty struct{}

// PagerDuty's limits. An event may have 512 KB.
//
// https://developer.pagerduty.com/docs/send-alert-event
// https://developer.pagerduty.com/docs/events-api-v2-overview (in all)
const (
	pagerSummary = 1_024
	pagerKey     = 255
	pagerAll     = 500_000
)

// pagerDetails is what PagerDuty shows beneath the summary. It sorts members as it likes, so that all is one text.
type pagerDetails struct {
	Text string `json:"text"`
}

// pagerLink is a link that PagerDuty shows beside the details.
type pagerLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

func (p pagerDuty) compose(t settings.Target, v View, _ Ref) (Request, error) {
	v = fitted(v, func(v View) bool { return size(pagerOf(v)) <= pagerAll })
	return post("https://"+p.hosts(t)[0]+"/v2/enqueue", RoutingKey, pagerOf(v))
}

// pagerOf is a view as an event. The incident's ID is the key by which later events find the alert.
func pagerOf(v View) pagerduty.V2Event {
	e := pagerduty.V2Event{
		Action: "trigger", DedupKey: clip(v.Incident, pagerKey), Client: "Replimend",
		Payload: &pagerduty.V2Payload{
			Summary: clip(v.Title, pagerSummary), Source: "replimend", Severity: pagerSeverity(v.Severity), Component: "s3-replication",
			Details: pagerDetails{plainText(v)},
		},
	}
	if v.Link != "" {
		e.Links = []any{pagerLink{v.Link, v.LinkText}}
	}
	if !v.At.IsZero() {
		e.Payload.Timestamp = v.At.UTC().Format(time.RFC3339)
	}
	if v.Over && v.Incident != "" {
		e.Action = "resolve"
	}
	return e
}

// pagerSeverity is a severity in PagerDuty's words. One that is not known is taken seriously.
func pagerSeverity(s incident.Severity) string {
	if s == incident.Info || s == incident.Warning {
		return string(s)
	}
	return "critical"
}

func (pagerDuty) read(r Response, _ Ref) (Ref, error) {
	return Ref{}, refused(settings.PagerDuty, r, "", "")
}

func (pagerDuty) hosts(t settings.Target) []string {
	return []string{cmp.Or(t.Host, "events.pagerduty.com")}
}
