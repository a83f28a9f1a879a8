package notify_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/settings"
)

const guide = "../../docs/guide"

// verified is the body of a request that was signed with the key, within five minutes of now.
func verified(r *http.Request, key []byte, now time.Time) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 512<<10))
	if err != nil {
		return nil, err
	}
	timestamp := r.Header.Get("Replimend-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return nil, errors.New("no timestamp of these minutes")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	want := "v1=" + hex.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(r.Header.Get("Replimend-Signature"))) {
		return nil, errors.New("the signature is not of this key and body")
	}
	return body, nil
}

// TestReceiver: the receiver that the page of the webhook shows is the one above, takes what is signed, and nothing else.
func TestReceiver(t *testing.T) {
	t.Parallel()
	source := readFile(t, "guide_test.go")
	shown := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(readFile(t, filepath.Join(guide, "webhook.md")))
	if shown == nil || !strings.Contains(source, shown[1]) {
		t.Error("docs/guide/webhook.md shows another receiver than the one that is tested")
	}
	key, body, now := []byte("a key"), []byte(`{"version":1}`), time.Unix(1_764_321_300, 0)
	for name, tt := range map[string]struct {
		key  string
		at   time.Time
		body string
		ok   bool
	}{
		"ours":         {"a key", now, string(body), true},
		"on its way":   {"a key", now.Add(-5 * time.Minute), string(body), true},
		"from before":  {"a key", now.Add(-5*time.Minute - time.Second), string(body), false},
		"from later":   {"a key", now.Add(5*time.Minute + time.Second), string(body), false},
		"another key":  {"b key", now, string(body), false},
		"another body": {"a key", now, `{"version":2}`, false},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(tt.body)))
		for name, value := range notify.Signature([]byte(tt.key), tt.at, body) {
			r.Header.Set(name, value)
		}
		if got, err := verified(r, key, now); (err == nil) != tt.ok || tt.ok && !bytes.Equal(got, body) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestGuide holds the page of each tool to what the tool does: its target is one that settings take, its hosts and its room are those of
// the tool, and its picture is there.
func TestGuide(t *testing.T) {
	t.Parallel()
	index := readFile(t, filepath.Join(guide, "README.md"))
	blocks, point := regexp.MustCompile("(?s)```yaml\n(.*?)```"), regexp.MustCompile(`(?m)^- \*\*(\w+)\.\*\*((?:.|\n  )*)`)
	for _, tool := range settings.Tools() {
		row := regexp.MustCompile(`(?m)^\| \[` + tool.String() + `\]\(` + tool.String() + `\.md\) .*$`).FindString(index)
		if row == "" {
			t.Errorf("README.md has no row of %s", tool)
		}
		page := readFile(t, filepath.Join(guide, tool.String()+".md"))
		said := map[string]string{}
		for _, m := range point.FindAllStringSubmatch(page, -1) {
			said[m[1]] = strings.Join(strings.Fields(m[2]), " ")
		}
		for _, what := range []string{"Hosts", "Room", "Updates", "Ends", "Decides"} {
			if said[what] == "" {
				t.Errorf("%s: says nothing of %s", tool, what)
			}
		}
		if !strings.Contains(said["Decides"], "`replimend approve`") {
			t.Errorf("%s: does not say how people decide: %s", tool, said["Decides"])
		}
		all := blocks.FindAllStringSubmatch(page, -1)
		if want := map[bool]int{false: 1, true: 2}[tool == settings.Slack]; len(all) != want { // whose second one says who presses
			t.Errorf("%s: %d blocks of settings", tool, len(all))
			continue
		}
		text := "version: 1\nroutes: []\n"
		for _, block := range all {
			text += strings.ReplaceAll("\n"+block[1], "\n   ", "\n")
		}
		if _, err := settings.Parse([]byte(text)); err != nil {
			t.Errorf("%s: its settings are not taken: %v", tool, err)
		}
		to := theTarget(t, strings.ReplaceAll(all[0][1], "\n   ", "\n"))
		if to.Tool != tool {
			t.Errorf("%s: its target is of %s", tool, to.Tool)
		}
		for _, host := range notify.Hosts(to) {
			if !strings.Contains(said["Hosts"], "`"+host+"`") {
				t.Errorf("%s: %s is not among its hosts: %s", tool, host, said["Hosts"])
			}
		}
		for i, n := range notify.Rooms[tool] {
			if !strings.Contains(said["Room"]+said["Subject"], thousands(n)+" ") || i == 0 && !strings.Contains(row, thousands(n)+" ") {
				t.Errorf("%s: does not say that it takes %s", tool, thousands(n))
			}
		}
		create := "--name replimend/" + tool.String() + " --secret-string file:///dev/stdin"
		if got := strings.Contains(page, create) && strings.Contains(page, to.Secret.String()); got == tool.ByTopic() {
			t.Errorf("%s: says how to keep its secret: %t", tool, got)
		}
		if picture := "(../images/chat/" + tool.String() + "-en.png)"; strings.Contains(page, picture) == (tool == settings.Webhook) {
			t.Errorf("%s: shows %s: %t", tool, picture, tool == settings.Webhook)
		}
		for _, m := range regexp.MustCompile(`\]\(([^):]+?)(?:#[^)]*)?\)`).FindAllStringSubmatch(page, -1) {
			if _, err := os.Stat(filepath.Join(guide, m[1])); err != nil {
				t.Errorf("%s: a link that leads nowhere: %v", tool, err)
			}
		}
		for _, name := range regexp.MustCompile(`internal/notify/(testdata/\S+\.json)`).FindAllStringSubmatch(page, -1) {
			if _, err := os.Stat(name[1]); err != nil {
				t.Errorf("%s: sends what is not there: %v", tool, err)
			}
		}
	}
}

// TestExamplesOfTargets: what the pages about all tools show is taken, too.
func TestExamplesOfTargets(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"README.md", "chat.md"} {
		yaml := regexp.MustCompile(`(?m)^    chat:\n(?:     .*\n?)+`).FindString(readFile(t, filepath.Join(guide, name)))
		if _, err := settings.Parse([]byte("version: 1\nroutes: []\n" + strings.ReplaceAll("\n"+yaml, "\n    ", "\n"))); err != nil || yaml == "" {
			t.Errorf("%s: %v in\n%s", name, err, yaml)
		}
	}
}

// TestMembersOfTheWebhook: the page says what each member of a body is.
func TestMembersOfTheWebhook(t *testing.T) {
	t.Parallel()
	var golden struct {
		Body map[string]json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal([]byte(readFile(t, "testdata/webhook/proposal-en-link.json")), &golden); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, m := range regexp.MustCompile("(?m)^\\| (`.*?`) \\|").FindAllStringSubmatch(readFile(t, filepath.Join(guide, "webhook.md")), -1) {
		for name := range strings.SplitSeq(m[1], ", ") {
			said = append(said, strings.Trim(name, "`"))
		}
	}
	for name := range golden.Body {
		if !slices.Contains(said, name) {
			t.Errorf("docs/guide/webhook.md says nothing of %s", name)
		}
	}
	if len(said) != len(golden.Body)+1 { // shortened is where something was cut alone
		t.Errorf("docs/guide/webhook.md has %d members, and a body %d", len(said), len(golden.Body))
	}
}

// theTarget is the only target of a part of the settings.
func theTarget(t *testing.T, yaml string) settings.Target {
	t.Helper()
	s, err := settings.Parse([]byte("version: 1\nroutes: []\n" + strings.TrimLeft(yaml, " ")))
	if err != nil || len(s.Chat.Targets) != 1 {
		t.Fatalf("%v in\n%s", err, yaml)
	}
	return s.Chat.Targets[0]
}

// thousands is a number as documents write it.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
