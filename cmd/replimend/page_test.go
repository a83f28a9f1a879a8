package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/page"
)

// TestPageOfAnIncident: the file is whole, or as it was.
func TestPageOfAnIncident(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	record, out := filepath.Join(folder, "journal.json"), filepath.Join(folder, "page.html")
	taken := filepath.Join(folder, "taken")
	if err := os.Mkdir(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	kept := &journal.File{Path: record, Now: time.Now}
	i, err := kept.Open(t.Context(), incident.Incident{
		ID: "inc-0123456789abcdef0123", Outcome: incident.Open, Opened: time.Now(),
		Route: incident.Route{Source: "invoices-111122223333", Rule: "to-dr", Destination: "invoices-dr"},
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (int, string) {
		var text strings.Builder
		p := &program{stdin: strings.NewReader(""), stdout: &text, stderr: &text, getenv: func(string) string { return "" }}
		return p.run(append([]string{"page"}, args...)), text.String()
	}
	if code, text := run(i.ID, "--journal", record, "--out", out, "--lang", "ja"); code != exitFine || text != "wrote "+out+"\n" {
		t.Fatalf("exit code %d: %s", code, text)
	}
	first, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="ja">`, i.ID, "invoices-111122223333", "</html>"} {
		if !strings.Contains(string(first), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for name, args := range map[string][]string{
		"no such incident": {"inc-00000000000000000000", "--journal", record, "--out", out},
		"no such language": {i.ID, "--journal", record, "--out", out, "--lang", "fr"},
		"no such folder":   {i.ID, "--journal", record, "--out", filepath.Join(folder, "none", "page.html")},
		"a folder":         {i.ID, "--journal", record, "--out", taken},
		"no file":          {i.ID, "--journal", record},
	} {
		code, text := run(args...)
		if code != exitError || !strings.HasPrefix(text, "replimend: ") || !strings.Contains(text, "\nhint: ") {
			t.Errorf("%s: exit code %d: %s", name, code, text)
		}
	}
	if now, err := os.ReadFile(out); err != nil || string(now) != string(first) {
		t.Errorf("the page is another one: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".page-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)

// TestRehearsalIsServed: on this machine alone, to be looked at and no more.
func TestRehearsalIsServed(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reader, writer := io.Pipe()
	p := &program{ctx: ctx, stdin: strings.NewReader(""), stdout: writer, stderr: writer, getenv: func(string) string { return "" }}
	ended := make(chan int, 1)
	go func() {
		code := p.run([]string{"rehearse", "--only", "cross-account-kms", "--serve"})
		_ = writer.Close()
		ended <- code
	}()
	lines := bufio.NewScanner(reader)
	base := ""
	for base == "" && lines.Scan() {
		base = address.FindString(lines.Text())
	}
	if base == "" {
		t.Fatalf("no address is printed: %v", lines.Err())
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	get := func(method, path string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader("decision=approve"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(text)
	}
	answer, list := get(http.MethodGet, "")
	link := regexp.MustCompile(`href="/(incidents/inc-[0-9a-f]{20})"`).FindStringSubmatch(list)
	_, hash := page.Style()
	if answer.StatusCode != http.StatusOK || link == nil || !strings.Contains(answer.Header.Get("Content-Security-Policy"), "style-src '"+hash+"'") {
		t.Fatalf("%s %v: %s", answer.Status, answer.Header, list)
	}
	answer, shown := get(http.MethodGet, link[1])
	if answer.StatusCode != http.StatusOK || strings.Contains(shown, "<form") || !strings.Contains(shown, "This is a rehearsal") || !strings.Contains(shown, "encrypt-replica") {
		t.Errorf("%s: %s", answer.Status, shown)
	}
	for path, status := range map[string]int{link[1] + "/decide": http.StatusNotFound, link[1]: http.StatusMethodNotAllowed, "": http.StatusMethodNotAllowed} {
		if answer, _ := get(http.MethodPost, path); answer.StatusCode != status {
			t.Errorf("POST %s: %s", path, answer.Status)
		}
	}
	if answer, _ := get(http.MethodGet, "incidents/other"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("of no incident: %s", answer.Status)
	}
	stop()
	if code := <-ended; code != exitFine {
		t.Errorf("exit code %d", code)
	}
}

// TestNothingIsServedToOthers: a rehearsal is shown on this machine.
func TestNothingIsServedToOthers(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:80", "127.0.0.1", "127.0.0.1:99999"} {
		var text strings.Builder
		p := &program{stdin: strings.NewReader(""), stdout: &text, stderr: &text, getenv: func(string) string { return "" }}
		code := p.run([]string{"rehearse", "--only", "healthy-route", "--serve", "--address", address})
		if code != exitError || !strings.Contains(text.String(), "\nhint: ") || strings.Contains(text.String(), "http://") {
			t.Errorf("%s: exit code %d: %s", address, code, text.String())
		}
	}
}

// TestPagesOfARehearsal: one for each incident, named after its scenario.
func TestPagesOfARehearsal(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "made", "pages")
	var text strings.Builder
	p := &program{stdin: strings.NewReader(""), stdout: &text, stderr: &text, getenv: func(string) string { return "" }}
	code := p.run([]string{"rehearse", "--only", "cross-account-kms,healthy-route", "--show", "none", "--pages", folder})
	name := filepath.Join(folder, "cross-account-kms.html")
	if code != exitFine || !strings.Contains(text.String(), "\nwrote "+name+"\n") {
		t.Fatalf("exit code %d: %s", code, text.String())
	}
	page, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(page), "This page is a copy") || strings.Contains(string(page), `href="/`) {
		t.Errorf("%v: %s", err, page)
	}
}
