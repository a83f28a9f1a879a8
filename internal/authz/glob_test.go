package authz

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/policy"
	"pgregory.net/rapid"
)

// naive is what a pattern means, without a thought for time.
func naive(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	switch p, rest := first(pattern); p {
	case "*":
		return naive(rest, text) || text != "" && naive(pattern, tail(text))
	case "?":
		return text != "" && naive(rest, tail(text))
	default:
		c, left := first(text)
		return c == p && naive(rest, left)
	}
}

func first(s string) (char, rest string) {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n], s[n:]
}

func tail(s string) string {
	_, rest := first(s)
	return rest
}

// small says whether the naive matcher can take the input, and whether it may come in documents and requests at all.
func small(pattern, text string) bool {
	return len(pattern) < 30 && len(text) < 40 && strings.Count(pattern, "*") < 6 && utf8.ValidString(pattern) && utf8.ValidString(text) &&
		!strings.ContainsAny(pattern, "\x00\x01")
}

func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""},
		{"*", ""},
		{"?", ""},
		{"?", "é"},
		{"??", "é"},
		{"a*", "abc"},
		{"*c", "abc"},
		{"a*b*c", "abbbc"},
		{"a*b?c", "aXbbc"},
		{"s3:Get*", "S3:GETOBJECT"},
		{"**a", "aaa"},
		{"*?*", ""},
		{"a?", "a世"},
		{"*世*", "x世y"},
		{"ab", "a\x01"},
		{"a", "a\x00"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) { checkMatch(t, pattern, text) })
}

func checkMatch(t errorer, pattern, text string) {
	if !small(pattern, text) {
		return
	}
	want := naive(pattern, text)
	g := compileGlob(pattern)
	if got := g.match(text); got != want {
		t.Errorf("%q matches %q: %t, want %t", pattern, text, got, want)
	}
	if got := match(g.text, text, false); got != want {
		t.Errorf("without short cuts %q matches %q: %t, want %t", pattern, text, got, want)
	}
	if got := match([]byte(g.text), []byte(text), false); got != want {
		t.Errorf("as bytes %q matches %q: %t, want %t", pattern, text, got, want)
	}
	lowered, loweredText := strings.Map(lowerASCII, pattern), strings.Map(lowerASCII, text)
	g = compileGlob(lowered)
	if got, want := g.matchFold(text), naive(lowered, loweredText); got != want {
		t.Errorf("without case %q matches %q: %t, want %t", pattern, text, got, want)
	}
}

func lowerASCII(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(lower(byte(r)))
	}
	return r
}

// naiveResource matches the parts after "arn:": a part that ends with a star may run past colons, no other does.
func naiveResource(parts []string, text string) bool {
	if len(parts) == 1 {
		return naive(parts[0], text)
	}
	for i, c := range text {
		if c != ':' {
			continue
		}
		if naive(parts[0], text[:i]) && naiveResource(parts[1:], text[i+1:]) {
			return true
		}
		if !strings.HasSuffix(parts[0], "*") {
			return false
		}
	}
	return false
}

// FuzzMatchResource holds the compiled form of a Resource value against what it means.
func FuzzMatchResource(f *testing.F) {
	for _, seed := range [][2]string{
		{"arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b"},
		{"arn:aws:s3:*", "arn:aws:s3:::bucket"},
		{"arn:*:s3:::b", "arn:aws:s3:::b"},
		{"arn:*:*:*:*:b", "arn:a:s:::x:b"},
		{"arn:aws:*:b", "arn:aws:s3:::b"},
		{"arn:a*s:s3:::b", "arn:aws:s3:::b"},
		{"arn:aws:s3::*:b", "arn:aws:s3:::::b"},
		{"arn:*", "arn:aws:s3:::b"},
		{"arn:a:s:*a*:*:b*:c", "arn:a:s:a:x:b:c:b:d"},
		{"*", "arn:aws:s3:::b"},
		{"arn:*:b*:c:d:e", "arn:a:x:b:c:d:e"},
		{"arn:aws:s3:::?", "arn:aws:s3:::b"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) { checkMatchResource(t, pattern, text) })
}

func checkMatchResource(t errorer, pattern, text string) {
	arn, err := policy.ParseARN(text)
	if err != nil || !small(pattern, text) || policy.HasVariables(pattern) {
		return
	}
	if _, err := (policy.StatementSpec{Effect: policy.Allow, Actions: []string{"*"}, Resources: []string{pattern}}).Build(); err != nil {
		return
	}
	want := yes
	if pattern != "*" {
		want = is(naiveResource(strings.SplitN(pattern, ":", 6)[1:], strings.TrimPrefix(text, "arn:")))
	}
	r := compileResource(pattern, true)
	if got := r.match(&arn, &Context{}); got != want {
		t.Errorf("%q matches %q: %d, want %d", pattern, text, got, want)
	}
}

// FuzzMatchARN holds the comparison of the Arn operators against what it means: six parts, each matched alone.
func FuzzMatchARN(f *testing.F) {
	for _, seed := range [][2]string{
		{"arn:aws:s3:::*", "arn:aws:s3:::bucket/a:b"},
		{"arn:aws:s3:*:b", "arn:aws:s3:::b"},
		{"arn:*:s3:::b", "arn:aws:s3:::b"},
		{"*", "arn:aws:s3:::b"},
		{"*:*:*:*:*:*", "arn:aws:s3:::b"},
		{"arn:aws:iam::*:role/?", "arn:aws:iam::111122223333:role/é"},
		{":::::", ":::::"},
		{"arn:aws:s3::", "arn:aws:s3::"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) { checkMatchARN(t, pattern, text) })
}

func checkMatchARN(t errorer, pattern, text string) {
	if !small(pattern, text) {
		return
	}
	p, s := strings.SplitN(pattern, ":", 6), strings.SplitN(text, ":", 6)
	want := len(p) == 6 && len(s) == 6
	for i := range p {
		want = want && naive(p[i], s[i])
	}
	if got := matchARN(encodeWildcards.Replace(pattern), text); got != want {
		t.Errorf("%q matches %q: %t, want %t", pattern, text, got, want)
	}
}

// errorer is what *testing.T and *rapid.T have in common.
type errorer interface {
	Errorf(format string, args ...any)
}

// TestMatchersDoWhatPatternsMean takes few letters, so that patterns and texts often nearly match.
func TestMatchersDoWhatPatternsMean(t *testing.T) {
	t.Parallel()
	draw := func(t *rapid.T, letters, label string) string {
		return rapid.StringOfN(rapid.RuneFrom([]rune(letters)), 0, 12, -1).Draw(t, label)
	}
	rapid.Check(t, func(t *rapid.T) {
		checkMatch(t, draw(t, "aAé**?", "pattern"), draw(t, "aAé", "text"))
		checkMatchARN(t, draw(t, "a*?:::", "ARN pattern"), draw(t, "ab:::", "ARN"))
		checkMatchResource(t, "arn:"+draw(t, "ab*?:::", "resource pattern")+rapid.SampledFrom([]string{"", "*"}).Draw(t, "end"), "arn:a:b"+draw(t, "ab:::", "resource"))
	})
}

// TestLongNamesDoNotStallTheMatcher takes what whoever names objects may choose: 1,024 bytes. A search that tries every way
// to split these does not end.
func TestLongNamesDoNotStallTheMatcher(t *testing.T) {
	t.Parallel()
	arn := policy.ObjectARN("aws", "bucket", strings.Repeat(":", 1000)+"a")
	for pattern, want := range map[string]tri{"arn:*:*:*:*:b": no, "arn:*:*:*:*:?": yes, "arn:*:*:*:*:**************b": no} {
		r := compileResource(pattern, true)
		if got := r.match(&arn, &Context{}); got != want {
			t.Errorf("%s matches: %d, want %d", pattern, got, want)
		}
	}
	g := compileGlob(strings.Repeat("*a", 500) + "b")
	if g.match(strings.Repeat("a", 1024)) {
		t.Error("a pattern of 500 stars matches what does not end with b")
	}
}
