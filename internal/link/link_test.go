package link_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/settings"
)

const (
	id    = "inc-0123456789abcdef0123"
	other = "inc-0123456789abcdef0124"
	plan  = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
	older = "an older secret of 32 characters"
	newer = "a newer secret of 32 characters!"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 500, time.UTC)

func secret(t *testing.T, text string) link.Secret {
	t.Helper()
	s, err := link.ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func token(t *testing.T, s link.Secret, l link.Link) string {
	t.Helper()
	text, err := s.Token(l)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestLinkIsRead: what was made is read, by the secret that made it and while it is rotated by both.
func TestLinkIsRead(t *testing.T) {
	t.Parallel()
	l := link.New(id, plan, settings.Japanese, link.Nonce{1, 2, 3}, now)
	text := token(t, secret(t, older), l)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{100}$`).MatchString(text) {
		t.Errorf("the token is %q", text)
	}
	for name, s := range map[string]link.Secret{
		"the same": secret(t, older), "rotated": secret(t, newer+"\n"+older+"\n"), "not rotated yet": secret(t, older+"\r\n\r\n"+newer),
	} {
		got, err := s.Read(text, id, now)
		if err != nil || got != l {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if !got.Of(plan) || got.Of("another") || got.Of("") {
			t.Errorf("%s: it is of another plan", name)
		}
		if !s.HasCode(got, secret(t, older).Code(l)) {
			t.Errorf("%s: the code is not taken", name)
		}
	}
	if link.New(id, "", settings.English, link.Nonce{}, now).Of("") {
		t.Error("a link without a plan is of one")
	}
}

// TestLinkIsRefused: a link of another secret, to another incident, or one that is too old.
func TestLinkIsRefused(t *testing.T) {
	t.Parallel()
	s := secret(t, older)
	l := link.New(id, plan, settings.Japanese, link.Nonce{1}, now)
	text := token(t, s, l)
	long := l
	long.Expires = now.Add(2 * link.Longest)
	sealed, err := s.Seal(link.ForSession, []byte(strings.Repeat("x", 43)))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text, id string
		by       link.Secret
		at       time.Time
		want     error
	}{
		"another incident":     {text, other, s, now, link.ErrForged},
		"no incident":          {text, "", s, now, link.ErrForged},
		"another secret":       {text, id, secret(t, newer), now, link.ErrForged},
		"no secret":            {text, id, link.Secret{}, now, link.ErrForged},
		"cut":                  {text[:99], id, s, now, link.ErrForged},
		"longer":               {text + "A", id, s, now, link.ErrForged},
		"none":                 {"", id, s, now, link.ErrForged},
		"not base64":           {text[:99] + "!", id, s, now, link.ErrForged},
		"a session":            {sealed, id, s, now, link.ErrForged},
		"when it expires":      {text, id, s, l.Expires, link.ErrExpired},
		"later":                {text, id, s, now.AddDate(1, 0, 0), link.ErrExpired},
		"one that is too long": {token(t, s, long), id, s, now, link.ErrExpired},
	} {
		if _, err := tt.by.Read(tt.text, tt.id, tt.at); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if got, err := s.Read(text, id, l.Expires); got.Language != settings.Japanese || !errors.Is(err, link.ErrExpired) {
		t.Errorf("one that expired is in %q: %v", got.Language, err)
	}
	if _, err := s.Read(text, id, l.Expires.Add(-time.Second)); err != nil || l.Expires.Sub(now) > time.Hour {
		t.Errorf("a second before it expires, %s after it was made: %v", l.Expires.Sub(now), err)
	}
}

// TestNoBitIsFree: no other text is read as the link, whichever bit is another one.
func TestNoBitIsFree(t *testing.T) {
	t.Parallel()
	s := secret(t, older)
	text := token(t, s, link.New(id, plan, settings.English, link.Nonce{9}, now))
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		raw[bit/8] ^= 1 << (bit % 8)
		if _, err := s.Read(base64.RawURLEncoding.EncodeToString(raw), id, now); !errors.Is(err, link.ErrForged) {
			t.Errorf("bit %d: %v", bit, err)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	rapid.Check(t, func(r *rapid.T) {
		other := rapid.StringMatching(`[A-Za-z0-9_-]{100}`).Draw(r, "token")
		if _, err := s.Read(other, id, now); other != text && !errors.Is(err, link.ErrForged) {
			r.Fatal(err)
		}
	})
}

// TestWhatIsNoLink is not made: to no incident, in no language, of more scope than there is.
func TestWhatIsNoLink(t *testing.T) {
	t.Parallel()
	s := secret(t, older)
	for name, change := range map[string]func(*link.Link){
		"no incident": func(l *link.Link) { l.Incident = "" },
		"a path":      func(l *link.Link) { l.Incident = "inc-../../../../sign-out" },
		"no language": func(l *link.Link) { l.Language = "" },
		"more scope":  func(l *link.Link) { l.Scope = 4 },
	} {
		l := link.New(id, plan, settings.English, link.Nonce{}, now)
		change(&l)
		if text, err := s.Token(l); err == nil {
			t.Errorf("%s: %s", name, text)
		}
	}
	if text, err := (link.Secret{}).Token(link.New(id, plan, settings.English, link.Nonce{}, now)); err == nil {
		t.Errorf("without a secret: %s", text)
	}
}

// TestCode: a code is read as people type it, and is that of one link.
func TestCode(t *testing.T) {
	t.Parallel()
	s := secret(t, older)
	rapid.Check(t, func(r *rapid.T) {
		var nonce link.Nonce
		copy(nonce[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(r, "nonce"))
		l := link.New(id, plan, settings.English, nonce, now)
		code := s.Code(l)
		if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(code) {
			r.Fatalf("the code is %q", code)
		}
		if strings.Contains(token(t, s, l), strings.ReplaceAll(code, "-", "")) {
			r.Fatalf("the link has the code %s in it", code)
		}
		wide := strings.Map(func(c rune) rune { return c - '!' + '！' }, code)
		for _, typed := range []string{
			code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + strings.ReplaceAll(code, "-", " ") + " ",
			strings.ReplaceAll(code, "0", "O"), strings.ReplaceAll(code, "0", "o"), strings.ReplaceAll(code, "1", "l"),
			strings.ReplaceAll(code, "1", "I"), wide, "　" + wide,
		} {
			if !s.HasCode(l, typed) {
				r.Errorf("%q is not taken for %s", typed, code)
			}
		}
		at := rapid.IntRange(0, 8).Draw(r, "at")
		if at == 4 {
			at = 5
		}
		wrong := code[:at] + string(rapid.SampledFrom([]byte("0123456789ABCDEFGHJKMNPQRSTVWXYZ")).Draw(r, "character")) + code[at+1:]
		if s.HasCode(l, wrong) != (wrong == code) {
			r.Errorf("%s is taken for %s", wrong, code)
		}
	})
	l := link.New(id, plan, settings.English, link.Nonce{}, now)
	elsewhere, later := l, l
	elsewhere.Incident, later.Nonce = other, link.Nonce{1}
	for name, typed := range map[string]string{
		"none": "", "hyphens": "----", "seven": "0000-000", "nine": "0000-00000", "a U": "0000-000U", "far too long": strings.Repeat(" ", 1<<20),
		"of another incident": s.Code(elsewhere), "of another link": s.Code(later), "of another secret": secret(t, newer).Code(l),
	} {
		if s.HasCode(l, typed) {
			t.Errorf("%s: it is taken", name)
		}
	}
	if (link.Secret{}).HasCode(l, "") || (link.Secret{}).Code(l) != "" {
		t.Error("without a secret there is a code")
	}
}

// TestSeal: what is sealed for one purpose is nothing to another, and no bit of it is free.
func TestSeal(t *testing.T) {
	t.Parallel()
	s, rotated := secret(t, older), secret(t, newer+"\n"+older)
	text, err := s.Seal(link.ForSession, []byte("jane"))
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []link.Secret{s, rotated} {
		if got, err := of.Open(link.ForSession, text); string(got) != "jane" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	for name, try := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return s.Open(link.ForForm, text) },
		"another secret":  func() ([]byte, error) { return secret(t, newer).Open(link.ForSession, text) },
		"no secret":       func() ([]byte, error) { return link.Secret{}.Open(link.ForSession, text) },
		"nothing":         func() ([]byte, error) { return s.Open(link.ForSession, "") },
		"longer":          func() ([]byte, error) { return s.Open(link.ForSession, text+"AAAA") },
		"padded":          func() ([]byte, error) { return s.Open(link.ForSession, text+"=") },
		"broken over two": func() ([]byte, error) { return s.Open(link.ForSession, text[:8]+"\n"+text[8:]) },
		"far too long":    func() ([]byte, error) { return s.Open(link.ForSession, strings.Repeat("A", 1<<20)) },
	} {
		if got, err := try(); !errors.Is(err, link.ErrForged) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := (link.Secret{}).Seal(link.ForSession, nil); err == nil {
		t.Errorf("without a secret: %s", got)
	}
}

// TestSecret: a secret is of two lines at most, long enough each, and shows nowhere.
func TestSecret(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"none": "", "blank": " \n\n", "short": older[:31], "one of two is short": older + "\n" + newer[:31], "three": older + "\n" + newer + "\n" + older,
	} {
		if _, err := link.ParseSecret(text); err == nil || strings.Contains(err.Error(), "secret of 3") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := secret(t, older)
	text, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %x %d", s, s, &s, s, s, []link.Secret{s}), s.String(), string(text)} {
		if !strings.Contains(shown, "***") || strings.Contains(shown, "older") || strings.Contains(shown, "6f6c646572") {
			t.Errorf("it shows: %s", shown)
		}
	}
}
