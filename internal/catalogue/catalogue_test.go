package catalogue

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// The bounds of texts, in characters. A line of a message has 600, of which values need the most; a title has 150 in the smallest tool.
// https://docs.slack.dev/reference/block-kit/blocks/header-block
const (
	mostText  = 250
	mostTitle = 80
	mostLabel = 40
)

var verb = regexp.MustCompile(`%(\[\d\][a-z]|.?)`)

// TestTexts reads every text where it is written, so that none is left out.
func TestTexts(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	packages, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range packages {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "in" {
				seen++
				for _, fault := range faults(literal(call.Args[0]), literal(call.Args[1])) {
					t.Errorf("%s: %s", files.Position(call.Pos()), fault)
				}
			}
			return true
		})
	}
	if seen < 180 {
		t.Errorf("%d texts were read: are they found?", seen)
	}
}

// literal is the text of an argument; the one that is a constant of package incident is English.
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok {
		if s, err := strconv.Unquote(l.Value); err == nil {
			return s
		}
	}
	return incident.NotCounted
}

// faults is what is wrong with a text.
func faults(english, japanese string) []string {
	var out []string
	a, b := verb.FindAllString(english, -1), verb.FindAllString(japanese, -1)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
		out = append(out, "the languages have different values: "+english)
	}
	for _, v := range a {
		if !regexp.MustCompile(`^%\[\d\][sd]$`).MatchString(v) {
			out = append(out, "a value says not which: "+english)
		}
	}
	script := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) })
	}
	bare := strings.TrimFunc(verb.ReplaceAllString(english, ""), unicode.IsPunct)
	if script(english) || !script(japanese) && strings.ContainsFunc(bare, unicode.IsLetter) {
		out = append(out, "not English and Japanese: "+english+" / "+japanese)
	}
	for _, s := range []string{english, japanese} {
		if s == "" || strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) || utf8.RuneCountInString(s) > mostText {
			out = append(out, "empty, too long or not one line: "+s)
		}
	}
	return out
}

// TestFaultsAreFound: a test that finds nothing must be able to.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	for _, wrong := range [][2]string{
		{"%[1]s is gone", "ありません"},
		{"%s is gone", "%s がありません"},
		{"gone", "gone"},
		{"ない", "ない"},
		{"", "ない"},
		{"gone\nand away", "ありません"},
		{strings.Repeat("gone", 100), "ありません"},
	} {
		if len(faults(wrong[0], wrong[1])) == 0 {
			t.Errorf("%q is found to be in order", wrong)
		}
	}
}

func TestEverythingHasAText(t *testing.T) {
	t.Parallel()
	for _, l := range settings.Languages() {
		for _, h := range incident.Headlines() {
			text, ok := Headline(l, h)
			if !ok || utf8.RuneCountInString(text) > mostTitle {
				t.Errorf("headline %q in %s: %q", h, l, text)
			}
			if l == settings.English && text != string(h) {
				t.Errorf("headline %q is %q in English", h, text)
			}
		}
		for _, o := range incident.Outcomes() {
			if text, ok := Outcome(l, o); !ok || utf8.RuneCountInString(text) > mostLabel {
				t.Errorf("outcome %q in %s: %q", o, l, text)
			}
		}
		for _, s := range []incident.Severity{incident.Info, incident.Warning, incident.Critical} {
			if text, ok := Severity(l, s); !ok || utf8.RuneCountInString(text) > mostLabel {
				t.Errorf("severity %q in %s: %q", s, l, text)
			}
		}
		for h := range Happened + 1 {
			if text := h.Heading(l); text == "" || utf8.RuneCountInString(text) > mostTitle+10 {
				t.Errorf("heading %d in %s: %q", h, l, text)
			}
		}
		for name := range labels {
			if text, _ := Label(l, name); utf8.RuneCountInString(text) > mostLabel {
				t.Errorf("label %q in %s: %q", name, l, text)
			}
		}
	}
	if n := len(headlines); n != len(incident.Headlines()) {
		t.Errorf("%d headlines have texts", n)
	}
	if n := len(outcomes); n != len(incident.Outcomes()) {
		t.Errorf("%d outcomes have texts", n)
	}
	if _, ok := Cause(settings.English, "no-such-cause"); ok {
		t.Error("a cause that is not there has a text")
	}
}

// TestPagesSayEverything in each language, and not the same in both.
func TestPagesSayEverything(t *testing.T) {
	t.Parallel()
	english, japanese := reflect.ValueOf(Page(settings.English)), reflect.ValueOf(Page(settings.Japanese))
	for n := range english.NumField() {
		if a, b := english.Field(n).String(), japanese.Field(n).String(); a == "" || b == "" || a == b {
			t.Errorf("%s is %q and %q", english.Type().Field(n).Name, a, b)
		}
	}
	for hours, want := range map[int][2]string{
		1: {"1 hour", "1 時間"}, 8: {"8 hours", "8 時間"}, 24: {"24 hours", "24 時間"}, 168: {"7 days", "7 日間"},
	} {
		if got := [2]string{For(settings.English, hours), For(settings.Japanese, hours)}; got != want {
			t.Errorf("%d hours are %q", hours, got)
		}
	}
	for n, want := range map[int]string{1: "1 request is allowed", 2: "2 requests are allowed"} {
		if got := FewAllowed(settings.English, n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

// TestNothingIsExplainedThatIsNotThere: the pages of the causes and the files of the rules are there, for every text. That every cause and
// rule has a text is tested where their registries are known.
func TestNothingIsExplainedThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(causes)) {
		if _, err := os.Stat("../../docs/causes/" + name + ".md"); err != nil && name != Unapproved {
			t.Error(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if _, err := os.Stat("../guard/" + strings.ReplaceAll(name, "-", "_") + ".go"); err != nil {
			t.Error(err)
		}
	}
}

var fieldName = regexp.MustCompile(`\{Name: "([^"]+)", Value:`)

// TestEveryFieldHasALabel reads the names of fields where package remedy writes them.
func TestEveryFieldHasALabel(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../remedy/*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range files {
		code, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range fieldName.FindAllStringSubmatch(string(code), -1) {
			seen++
			if _, ok := labels[m[1]]; !ok {
				t.Errorf("%s: field %q has no label", f, m[1])
			}
		}
	}
	if seen < 15 {
		t.Errorf("%d fields were read: are they found?", seen)
	}
}

func TestExposure(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	since, now := at("2026-11-22T05:48:00Z"), at("2026-11-22T21:00:00+09:00")
	for name, c := range map[string]struct {
		e  incident.Exposure
		en string
		ja string
	}{
		"nothing": {incident.Exposure{}, "No object version is reported to have failed.", "失敗が報告されたオブジェクトバージョンはありません。"},
		"many": {
			incident.Exposure{Versions: 41_233, Bytes: 2_100_000_000, Exact: true, Since: since},
			"At least 41,233 object versions (2.1 GB) are not replicated; the oldest was written at 2026-11-22 05:48:00 UTC (6 h 12 m ago).",
			"少なくとも 41,233 個のオブジェクトバージョン（2.1 GB）がレプリケートされていません。最も古いものは 2026年11月22日 05:48:00 UTC（6 時間 12 分前）に書き込まれました。",
		},
		"one": {
			incident.Exposure{Versions: 1, Bytes: 999, Exact: true, Since: since},
			"At least 1 object version (999 B) is not replicated; it was written at 2026-11-22 05:48:00 UTC (6 h 12 m ago).",
			"少なくとも 1 個のオブジェクトバージョン（999 B）がレプリケートされていません。2026年11月22日 05:48:00 UTC（6 時間 12 分前）に書き込まれました。",
		},
		"about, reported": {
			incident.Exposure{Versions: 41_233, Bytes: 2_100_000, Since: since, Reported: true},
			"About 41,200 object versions (2.1 MB) are not replicated; the first failure was reported at 2026-11-22 05:48:00 UTC (6 h 12 m ago), so the oldest is older than that.",
			"約 41,200 個のオブジェクトバージョン（2.1 MB）がレプリケートされていません。最初の失敗は 2026年11月22日 05:48:00 UTC（6 時間 12 分前）に報告されており、最も古いものはそれより前に書き込まれています。",
		},
		"since when is not known": {
			incident.Exposure{Versions: 2, Bytes: 1000, Exact: true},
			"At least 2 object versions (1.0 kB) are not replicated.",
			"少なくとも 2 個のオブジェクトバージョン（1.0 kB）がレプリケートされていません。",
		},
		"over": {
			incident.Exposure{Versions: 2, Bytes: 1000, Exact: true, Since: since, Until: since.Add(50 * time.Hour)},
			"At least 2 object versions (1.0 kB) had no replica from 2026-11-22 05:48:00 UTC to 2026-11-24 07:48:00 UTC (2 d 2 h).",
			"少なくとも 2 個のオブジェクトバージョン（1.0 kB）が 2026年11月22日 05:48:00 UTC から 2026年11月24日 07:48:00 UTC まで（2 日 2 時間）レプリケートされていませんでした。",
		},
		"over, reported": {
			incident.Exposure{Versions: 1, Bytes: 1, Exact: true, Since: since, Reported: true, Until: now},
			"At least 1 object version (1 B) had no replica; the first failure was reported at 2026-11-22 05:48:00 UTC, and all were replicated by 2026-11-22 12:00:00 UTC.",
			"少なくとも 1 個のオブジェクトバージョン（1 B）がレプリケートされていませんでした。最初の失敗は 2026年11月22日 05:48:00 UTC に報告され、2026年11月22日 12:00:00 UTC までにすべてレプリケートされました。",
		},
		"a clock that is behind": {
			incident.Exposure{Versions: 1, Bytes: 1, Exact: true, Since: now.Add(time.Hour)},
			"At least 1 object version (1 B) is not replicated; it was written at 2026-11-22 13:00:00 UTC (0 s ago).",
			"少なくとも 1 個のオブジェクトバージョン（1 B）がレプリケートされていません。2026年11月22日 13:00:00 UTC（0 秒前）に書き込まれました。",
		},
	} {
		if got := Exposure(settings.English, c.e, now); got != c.en {
			t.Errorf("%s: got %q, want %q", name, got, c.en)
		}
		if got := Exposure(settings.Japanese, c.e, now); got != c.ja {
			t.Errorf("%s: got %q, want %q", name, got, c.ja)
		}
	}
}

// TestSpans is of both sides of each change of units: a minute says little of what took less than two.
func TestSpans(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][2]string{
		-time.Hour:                       {"0 s", "0 秒"},
		999 * time.Millisecond:           {"0 s", "0 秒"},
		35 * time.Second:                 {"35 s", "35 秒"},
		2*time.Minute - time.Millisecond: {"119 s", "119 秒"},
		2 * time.Minute:                  {"2 m", "2 分"},
		time.Hour - time.Second:          {"59 m", "59 分"},
		time.Hour:                        {"1 h 0 m", "1 時間 0 分"},
		24*time.Hour - time.Second:       {"23 h 59 m", "23 時間 59 分"},
		24 * time.Hour:                   {"1 d 0 h", "1 日 0 時間"},
	} {
		if got := [2]string{span(settings.English, d), span(settings.Japanese, d)}; got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

// TestWordsOfCommandsAreQuoted: whoever writes a rule chooses its ID, and somebody else pastes the command that has it.
func TestWordsOfCommandsAreQuoted(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"invoices/to-dr":      "invoices/to-dr",
		"invoices/a rule":     "'invoices/a rule'",
		"b/$(rm -rf ~)":       "'b/$(rm -rf ~)'",
		"b/it's; curl evil |": `'b/it'\''s; curl evil |'`,
		"":                    "''",
	} {
		if got := shell(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
