package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"github.com/replimend/replimend/internal/settings"
)

// webhook tells a program of somebody's own: the whole of the view as JSON, in a signed request.
//
// Whoever receives it finds out that it is ours, and not one from yesterday, as follows, on the bytes of the body as they came and before
// anything reads them: take the header Replimend-Timestamp, seconds since 1970, and refuse it if it is more than five minutes from now;
// compute HMAC-SHA256 with the secret of the target over the timestamp, a full stop and the body; and compare its hexadecimal form, after
// v1=, with the header Replimend-Signature in constant time.
type webhook struct{}

// The headers of a signed request.
const (
	timestampHeader = "Replimend-Timestamp"
	signatureHeader = "Replimend-Signature"
)

// webhookAll is the bytes of a body: as many as SNS or a queue takes on.
const webhookAll = 256 << 10

// webhookBody is a view as JSON. Members are only ever added.
type webhookBody struct {
	Version   int              `json:"version"` // 1
	Incident  string           `json:"incident,omitempty"`
	Severity  string           `json:"severity"` // info, warning or critical
	Word      string           `json:"word"`     // the severity in the language
	Language  string           `json:"language"`
	Title     string           `json:"title"`
	Lead      []string         `json:"lead"`
	Sections  []webhookSection `json:"sections"`
	Fields    []webhookField   `json:"fields"`
	Awaits    bool             `json:"awaits"` // somebody is asked to decide
	Over      bool             `json:"over"`   // nothing more will come of it
	At        string           `json:"at,omitempty"`
	Shortened string           `json:"shortened,omitempty"` // how to see the rest, where not all is here
	Link      *webhookLink     `json:"link,omitempty"`
}

// webhookLink is the page of the incident, for an hour.
type webhookLink struct {
	URL  string `json:"url"`
	Text string `json:"text"`
	Code string `json:"code,omitempty"` // what permits to decline and to silence there, in a line
}

type webhookSection struct {
	Heading string   `json:"heading"`
	Lines   []string `json:"lines,omitempty"`
	Code    string   `json:"code,omitempty"`
}

type webhookField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (webhook) compose(t settings.Target, v View, _ Ref) (Request, error) {
	v = fitted(v, func(v View) bool { return size(webhookOf(t, v)) <= webhookAll })
	return post(t.URL, Signs, webhookOf(t, v))
}

func webhookOf(t settings.Target, v View) webhookBody {
	b := webhookBody{
		Version: 1, Incident: v.Incident, Severity: string(v.Severity), Word: v.Word, Language: string(t.Language), Title: v.Title,
		Lead: append([]string{}, v.Lead...), Sections: []webhookSection{}, Fields: []webhookField{},
		Awaits: v.Awaits, Over: v.Over, Shortened: v.Cut,
	}
	if v.Link != "" {
		b.Link = &webhookLink{v.Link, v.LinkText, v.Code}
	}
	if !v.At.IsZero() {
		b.At = v.At.UTC().Format(time.RFC3339)
	}
	for _, s := range v.Sections {
		b.Sections = append(b.Sections, webhookSection(s))
	}
	for _, f := range v.Fields {
		b.Fields = append(b.Fields, webhookField(f))
	}
	return b
}

// signature is the headers that sign a body with a key at a time, which is when it is sent: a request that is sent again is signed again.
func signature(key []byte, at time.Time, body []byte) map[string]string {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return map[string]string{timestampHeader: timestamp, signatureHeader: "v1=" + hex.EncodeToString(mac.Sum(nil))}
}

func (webhook) read(r Response, _ Ref) (Ref, error) {
	return Ref{}, refused(settings.Webhook, r, "", "")
}

// hosts is the one of the target's URL.
func (webhook) hosts(t settings.Target) []string {
	u, err := url.Parse(t.URL)
	if err != nil {
		return nil
	}
	return []string{u.Hostname()}
}
