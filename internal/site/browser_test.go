package site_test

import (
	"context"
	"fmt"
	"iter"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// screenshots is the folder in which what the browser showed is kept.
const screenshots = "../../bin/screenshots"

// tab is a real browser before the page, which is at localhost: the provider is at another site.
type tab struct {
	*office
	ctx     context.Context
	console iter.Seq2[chromedp.ConsoleMessage, error]
}

// newTab starts a browser, which ends with the test.
func newTab(t *testing.T, o *office) *tab {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v\nhint: make chromium as root, or install the package chromium", err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	t.Cleanup(server.Close)
	o.origin = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	server.Config.Handler = o.At(o.origin)

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.IgnoreCertErrors, chromedp.UserDataDir(t.TempDir()),
		// Going back asks for the page again, and shows none that was kept.
		chromedp.Flag("disable-features", "BackForwardCache,Translate"))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{office: o, ctx: ctx}
	b.console = chromedp.Console(ctx)
	return b
}

func (b *tab) run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// found is the value of an action.
func found[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// text is what is shown of an element.
func (b *tab) text(of chromedp.CSS) string {
	b.t.Helper()
	return found(b, chromedp.Text(of))
}

// follow does what leads to another page, and waits for that.
func (b *tab) follow(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
	b.run(chromedp.WaitReady(chromedp.CSS("main")))
}

// complains is what the browser complained of; that a page says no is no fault of the page.
func (b *tab) complains() (out []string) {
	b.t.Helper()
	const last = "that was all"
	b.run(chromedp.Evaluate[chromedp.Void]("console.error('" + last + "')"))
	for m, err := range b.console {
		switch {
		case err != nil:
			b.t.Fatal(err)
		case m.Text == last:
			return out
		case m.Source == "network" && strings.Contains(m.Text, "the server responded with a status of 4"):
		default:
			out = append(out, m.String())
		}
	}
	b.t.Fatal("the browser has no console")
	return nil
}

// open goes somewhere.
func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.origin+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// screen is as wide as a telephone's, or a desk's, in light or dark.
func (b *tab) screen(width int64, scheme string) {
	b.t.Helper()
	b.run(chromedp.EmulateViewport(width, 800))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// shows wants a title, texts on the page, and nothing that is wider than the screen, and keeps a picture.
func (b *tab) shows(picture, title string, texts ...string) {
	b.t.Helper()
	heading, text := b.text("h1"), b.text("main")
	wide, screen := found(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth")), found(b, chromedp.Evaluate[int]("window.innerWidth"))
	background := found(b, chromedp.Evaluate[string]("getComputedStyle(document.body).backgroundColor"))
	png := found(b, chromedp.FullScreenshot(100))
	if heading != title {
		b.t.Errorf("%s: the title is %q, want %q:\n%s", picture, heading, title, text)
	}
	for _, want := range texts {
		if !strings.Contains(text, want) {
			b.t.Errorf("%s: %q is not shown:\n%s", picture, want, text)
		}
	}
	if wide > screen {
		b.t.Errorf("%s: it is %d wide, and the screen %d", picture, wide, screen)
	}
	var red, green, blue int
	if _, err := fmt.Sscanf(background, "rgb(%d, %d, %d)", &red, &green, &blue); err != nil {
		b.t.Fatalf("%s: the background is %s", picture, background)
	}
	if dark := red+green+blue < 3*128; dark != strings.Contains(picture, "dark") {
		b.t.Errorf("%s: the background is %s", picture, background)
	}
	if err := os.MkdirAll(screenshots, 0o750); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(screenshots, picture+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// of is a field of the form of a decision.
func of(decision, field string) chromedp.CSS {
	return chromedp.CSS(`form:has(input[name="decision"][value="` + decision + `"]) ` + field)
}

// press sends the form of a decision, after fields of it were typed, and waits for the page that says what became of it.
func (b *tab) press(decision string, fields ...string) {
	b.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		b.run(chromedp.SetValue(of(decision, `[name="`+fields[i]+`"]`), fields[i+1]))
	}
	b.follow(chromedp.Click(of(decision, "button")))
}

// back goes back to the page before, as somebody does who is not sure.
func (b *tab) back() {
	b.t.Helper()
	b.run(chromedp.NavigateBack(), chromedp.WaitReady(chromedp.CSS("main")))
}

// TestInABrowser goes the ways of people: by a link and its code, by signing in, twice, too late, after the plan has changed, on a telephone
// and in the dark. What they saw is kept.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	o := newOffice(t, as)
	b := newTab(t, o)
	const phone, wide = 360, 1200
	_, token, code := o.message()
	linked := "/incidents/" + o.id + "?t=" + token

	// By the link alone, on a telephone: nothing that is masked is there, and the code declines, once.
	b.screen(phone, "light")
	b.open(linked)
	heading := b.text("h1")
	b.shows("link-phone", heading, "payroll-source")
	b.screen(phone, "dark")
	b.shows("link-phone-dark", heading)
	b.screen(phone, "light")
	b.press("decline", "code", "0000-0000")
	b.shows("wrong-code-phone", "This is not the code")
	b.back()
	b.press("decline", "code", strings.ToLower(code))
	b.shows("declined-phone", "Declined")
	b.back()
	b.press("decline", "code", code)
	b.shows("declined-twice-phone", "This link was used", "decline of plan "+plan[:12])
	if got := strings.Join(o.answers(), ", "); got != "decline by "+incident.ByCode {
		t.Errorf("kept: %s", got)
	}

	// Too late.
	o.pass(time.Hour)
	b.open(linked)
	b.shows("expired-phone", "This link has expired")
	b.open("/incidents")
	b.shows("stranger-phone", "Sign in")

	// By signing in, which leads to another site and back to the incident.
	b.screen(wide, "light")
	_, token, _ = o.message()
	b.open("/incidents/" + o.id + "?t=" + token)
	o.provider.As("sub-of-jane")
	b.follow(chromedp.Click(chromedp.CSS(`a[href^="/sign-in"]`)))
	if at := found(b, chromedp.Location()); at != b.origin+"/incidents/"+o.id {
		t.Fatalf("signed in at %s; log:\n%s", at, o.log.String())
	}
	b.shows("incident", heading, "role-lacks-replicate")
	b.screen(wide, "dark")
	b.shows("incident-dark", heading)
	b.screen(wide, "light")
	b.press("approve")
	b.shows("approved", "Approved", plan[:12])
	b.run(chromedp.Reload(), chromedp.WaitReady(chromedp.CSS("main"))) // which sends the form again
	b.shows("approved-twice", "Sent before", "approve of plan "+plan[:12])
	if got := strings.Join(o.answers(), ", "); !strings.Contains(got, "approve by "+jane) {
		t.Errorf("kept: %s", got)
	}
	b.open("/")
	list := b.text("h1")
	b.shows("list", list, "payroll-source")
	b.screen(phone, "light")
	b.shows("list-phone", list)

	// The plan becomes another one while somebody looks at it.
	b.screen(wide, "light")
	b.open("/incidents/" + o.id)
	i, err := o.kept.Get(t.Context(), o.id)
	if err != nil {
		t.Fatal(err)
	}
	i.Plan = strings.Repeat("f", 24)
	i.Proposal = incident.NewProposal(i.Plan, o.time(), "+ another statement", nil, 1)
	i.Become(incident.AwaitingApproval, o.time(), "the plan is another one")
	if _, err := o.kept.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	b.press("approve")
	b.shows("drifted", "The plan is another one by now")
	b.follow(chromedp.Click(chromedp.CSS("main a")))
	b.shows("drifted-anew", heading, "another statement")
	b.press("silence", "reason", "on purpose")
	b.shows("silenced", "Silenced")
	if len(o.silences()) != 1 {
		t.Errorf("silenced: %v", o.silences())
	}

	// Whoever signs out is a stranger.
	b.open("/incidents/" + o.id)
	b.follow(chromedp.Click(chromedp.CSS(`form[action$="/sign-out"] button`)))
	b.shows("signed-out", "Signed out")
	b.open("/")
	b.shows("stranger", "Sign in")

	// In Japanese, by a link in it, on a telephone.
	l, _, _ := o.message()
	l.Language = settings.Japanese
	secret, err := o.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if token, err = secret.Token(l); err != nil {
		t.Fatal(err)
	}
	b.screen(phone, "light")
	b.open("/incidents/" + o.id + "?t=" + token)
	heading = b.text("h1")
	b.shows("link-phone-ja", heading, "レプリケーション")

	if faults := b.complains(); len(faults) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(faults, "\n"))
	}
}
