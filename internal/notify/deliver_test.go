package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/settings"
)

// named is a target of a tool under a name.
func named(name string, tool settings.Tool, edit func(*settings.Target)) settings.Target {
	t := target(tool, settings.English)
	t.Name = name
	if edit != nil {
		edit(&t)
	}
	return t
}

// at is a message of a kind as of so many minutes after another one.
func at(t *testing.T, kind string, minutes int) incident.Message {
	m := message(t, kind)
	m.At = message(t, "proposal").At.Add(time.Duration(minutes) * time.Minute)
	return m
}

// bubble runs a test in which nobody waits.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// TestOneFailsAndTheOthersAreTold, who are not told again when the message comes again for the one.
func TestOneFailsAndTheOthersAreTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{
			named("broken", settings.Teams, nil), named("chat", settings.Slack, nil), named("mail", settings.Email, nil),
		})
		bad := w.secrets.of[w.Targets[0].Secret.String()]
		w.secrets.of[w.Targets[0].Secret.String()] = "https://example.com/" + token
		m := message(t, "proposal")
		got := w.tell(t, m, "")
		if got["broken"] != notify.Failed || got["chat"] != notify.Sent || got["mail"] != notify.Sent {
			t.Fatalf("%v; log:\n%s", got, &w.log)
		}
		w.secrets.of[w.Targets[0].Secret.String()] = bad
		got = w.tell(t, m, "")
		if got["broken"] != notify.Sent || got["chat"] != notify.Known || got["mail"] != notify.Known {
			t.Errorf("again: %v; log:\n%s", got, &w.log)
		}
		if n := len(w.requests()); n != 2 || len(w.topics.in) != 1 || len(w.bus.got) != 1 {
			t.Errorf("%d requests, %d published, %d events", n, len(w.topics.in), len(w.bus.got))
		}
		if strings.Contains(w.log.String(), token) {
			t.Errorf("the secret shows:\n%s", &w.log)
		}
	})
}

// TestWhoIsTold: by accounts, labels and severity; and who heard of an incident hears how it ends, however little that matters.
func TestWhoIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{
			named("all", settings.Email, nil),
			named("theirs", settings.Email, func(x *settings.Target) { x.Accounts = []string{"444455556666"} }),
			named("others", settings.Email, func(x *settings.Target) { x.Accounts = []string{"999999999999"} }),
			named("labelled", settings.Email, func(x *settings.Target) { x.Labels = []string{"payments", "other"} }),
			named("elsewhere", settings.Email, func(x *settings.Target) { x.Labels = []string{"other"} }),
			named("loud", settings.Email, func(x *settings.Target) { x.AtLeast = "critical" }),
			named("warned", settings.Email, func(x *settings.Target) { x.AtLeast = "warning" }),
		})
		told := func(m incident.Message) string {
			var names []string
			for name, fate := range w.tell(t, m, "") {
				if fate == notify.Sent {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			return strings.Join(names, " ")
		}
		m := at(t, "proposal", 0)
		m.Accounts, m.Labels = []string{"111122223333", "444455556666"}, []string{"payments"}
		if got := told(m); got != "all labelled theirs warned" {
			t.Errorf("a warning: %s", got)
		}
		end := at(t, "resolved", 5)
		end.Accounts, end.Labels = m.Accounts, m.Labels
		if got := told(end); got != "all labelled theirs warned" {
			t.Errorf("its end: %s", got)
		}
		m.Incident, m.Severity = "inc-11111111111111111111", incident.Critical
		if got := told(m); got != "all labelled loud theirs warned" {
			t.Errorf("critical: %s", got)
		}
		m.Incident, m.Accounts, m.Labels = "inc-22222222222222222222", nil, nil
		if got := told(m); got != "all loud others theirs warned" {
			t.Errorf("of nobody knows whose: %s", got)
		}
		m.Incident, m.Severity = "inc-33333333333333333333", incident.Info
		if got := told(m); got != "all others theirs" {
			t.Errorf("of no matter: %s", got)
		}
	})
}

// TestTheLatestStands: what is older than what was said is not said any more, what is over is not opened again, and the same is said again
// only after something else was.
func TestTheLatestStands(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.Slack, nil)})
		for i, step := range []struct {
			m    incident.Message
			want notify.Fate
		}{
			{at(t, "proposal", 0), notify.Sent},
			{at(t, "proposal", 1), notify.Known}, // nothing new
			{at(t, "applied", 3), notify.Sent},
			{at(t, "declined", 2), notify.Known}, // older
			{at(t, "proposal", 4), notify.Sent},
			{at(t, "resolved", 5), notify.Sent},
			{at(t, "resolved", 5), notify.Known},
			{at(t, "refused", 6), notify.Known}, // it is over
		} {
			if got := w.tell(t, step.m, "")["oncall"]; got != step.want {
				t.Errorf("step %d: %s, want %s; log:\n%s", i, got, step.want, &w.log)
			}
		}
		posted, updated := 0, 0
		for _, r := range w.requests() {
			switch r.url {
			case "/api/chat.postMessage":
				posted++
			case "/api/chat.update":
				updated++
			}
			if r.header.Get("Authorization") != "Bearer "+token {
				t.Errorf("%s without the token", r.url)
			}
		}
		if posted != 4 || updated != 3 { // a card, and three times its update with what is new in its thread
			t.Errorf("%d posted, %d updated", posted, updated)
		}
		if n := len(w.bus.got); n != 4 || w.bus.got[3].Outcome != incident.Resolved || !w.bus.got[3].Over {
			t.Errorf("%d events: %+v", n, w.bus.got)
		}
	})
}

// TestAboutNone: a message that is about no incident is told once, and is no part of another one.
func TestAboutNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.Email, nil)})
		one := message(t, "silence-ended")
		one.Incident, one.Severity = "", incident.Warning
		other := one
		other.Title += " too"
		for i, m := range []incident.Message{one, other, one} {
			if got := w.tell(t, m, "")["oncall"]; (got == notify.Sent) != (i < 2) {
				t.Errorf("%d: %s", i, got)
			}
		}
	})
}

// TestQuietHours: what is critical is told at once; of the rest the latest, once, when they are over.
func TestQuietHours(t *testing.T) {
	bubble(t, func(t *testing.T) {
		quiet := func(x *settings.Target) { x.Quiet = settings.Quiet{From: "11:00", Until: "12:40"} } // it is 12:00
		w := newWorld(t, []settings.Target{named("night", settings.Email, quiet), named("day", settings.Email, nil)})
		first, second := at(t, "proposal", 0), at(t, "applied", 1)
		for _, m := range []incident.Message{first, first, second} {
			if got := w.tell(t, m, "")["night"]; got != notify.Held {
				t.Errorf("at night: %s", got)
			}
		}
		if len(w.again) != 2 || w.again[0].target != "night" || w.again[0].delay != 15*time.Minute {
			t.Fatalf("given back: %+v", w.again)
		}
		loud := at(t, "escalated", 0)
		loud.Incident = "inc-11111111111111111111"
		if got := w.tell(t, loud, "")["night"]; got != notify.Sent {
			t.Errorf("critical at night: %s", got)
		}
		sent := func() (n int) {
			for _, in := range w.topics.in {
				if strings.Contains(*in.Message, first.Incident) {
					n++
				}
			}
			return n
		}
		before := sent()
		for range 10 {
			w.clock.Pass(15 * time.Minute)
			due := w.again
			w.again = nil
			for _, x := range append(due, due...) { // each comes twice
				w.tell(t, x.message, x.target)
			}
			if len(w.again) > 4 {
				t.Fatalf("messages multiply: %d", len(w.again))
			}
		}
		if n := sent() - before; n != 1 || len(w.again) != 0 {
			t.Errorf("told %d times, %d still wait", n, len(w.again))
		}
		n, err := w.book.Notice(t.Context(), first.Incident, "night")
		if err != nil || !n.Latest.Equal(second.At) || n.Held != "" {
			t.Errorf("the book has %+v, %v", n, err)
		}
	})
}

// TestTheLastMinutesOfTheNight are waited for and no longer.
func TestTheLastMinutesOfTheNight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("night", settings.Email, func(x *settings.Target) {
			x.Quiet = settings.Quiet{From: "20:00", Until: "21:07", Offset: "+09:00"}
		})})
		w.clock.Pass(30 * time.Second)
		if got := w.tell(t, message(t, "proposal"), "")["night"]; got != notify.Held || len(w.again) != 1 || w.again[0].delay != 6*time.Minute+30*time.Second {
			t.Errorf("%s, given back: %+v", got, w.again)
		}
	})
}

// TestNothingWaitsThatIsSo: what waits is not said when all is as was said last before it can be.
func TestNothingWaitsThatIsSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.Email, func(x *settings.Target) { x.PerHour = 1 })})
		for i, want := range []notify.Fate{notify.Sent, notify.Held, notify.Known} {
			if got := w.tell(t, at(t, []string{"proposal", "applied", "proposal"}[i], i), "")["oncall"]; got != want {
				t.Errorf("%d: %s, want %s", i, got, want)
			}
		}
		w.clock.Pass(2 * time.Hour)
		if got := w.tell(t, w.again[0].message, "oncall")["oncall"]; got != notify.Known {
			t.Errorf("what waited: %s", got)
		}
	})
}

// TestPerHour: as many messages as the settings say, and the rest when there is room.
func TestPerHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.Email, func(x *settings.Target) { x.PerHour = 2 })})
		for i := range 5 {
			m := message(t, "proposal")
			m.Incident = fmt.Sprintf("inc-%020d", i)
			w.tell(t, m, "")
		}
		if len(w.topics.in) != 2 || len(w.again) != 3 {
			t.Fatalf("%d told, %d wait", len(w.topics.in), len(w.again))
		}
		var hours []int
		for range 16 {
			w.clock.Pass(15 * time.Minute)
			due, before := w.again, len(w.topics.in)
			w.again = nil
			for _, x := range due {
				w.tell(t, x.message, x.target)
			}
			hours = append(hours, len(w.topics.in)-before)
		}
		if got := fmt.Sprint(hours); got != "[0 0 0 2 0 0 0 1 0 0 0 0 0 0 0 0]" {
			t.Errorf("told every quarter of an hour: %s", got)
		}
	})
}

// TestTwoAtOnce: of a message that comes twice at the same time one is told; the other waits, and then finds that it was.
func TestTwoAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.SlackWebhook, nil)}, hang)
		var both sync.WaitGroup
		var mu sync.Mutex
		fates := map[notify.Fate]int{}
		for range 2 {
			both.Go(func() {
				for _, r := range w.Tell(t.Context(), message(t, "proposal"), "oncall") {
					mu.Lock()
					fates[r.Fate]++
					mu.Unlock()
				}
			})
		}
		both.Wait()
		if n := len(w.requests()); n != 2 || fates[notify.Sent] != 1 || fates[notify.Held] != 1 || len(w.again) != 1 { // the first one hung
			t.Errorf("%d requests, %v, %d wait", n, fates, len(w.again))
		}
		if got := w.tell(t, w.again[0].message, w.again[0].target)["oncall"]; got != notify.Known {
			t.Errorf("the other: %s", got)
		}
	})
}

// torn is a book that keeps nothing more at some point, as when the process ends there.
type torn struct {
	notify.Book
	after int
}

var errTorn = errors.New("the process ended")

func (b *torn) KeepNotice(ctx context.Context, n incident.Notice) (incident.Notice, error) {
	if b.after--; b.after < 0 {
		return incident.Notice{}, errTorn
	}
	return b.Book.KeepNotice(ctx, n)
}

// TestWhoEndsInBetween: after the tool was told and before the book was, the message comes again, and is told twice and not more often;
// before, it is told once.
func TestWhoEndsInBetween(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for after, told := range []int{1, 2} {
			w := newWorld(t, []settings.Target{named("oncall", settings.Email, nil)})
			w.Book = &torn{w.book, after}
			m := message(t, "proposal")
			if got := w.tell(t, m, "oncall")["oncall"]; got != notify.Failed {
				t.Errorf("%d: %s", after, got)
			}
			w.Book = w.book
			if got := w.tell(t, m, "oncall")["oncall"]; (got == notify.Held) != (after == 1) {
				t.Errorf("%d: while it may still be working: %s", after, got)
			}
			w.clock.Pass(6 * time.Minute)
			w.tell(t, m, "oncall")
			w.tell(t, m, "oncall")
			if n := len(w.topics.in); n != told {
				t.Errorf("%d: told %d times, want %d", after, n, told)
			}
		}
	})
}

// TestRotatedSecrets: a tool that does not take a secret any more is asked again with what it is now, once, and not with the same.
func TestRotatedSecrets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.Chatwork, nil)}, status(401))
		w.secrets.rotate = "rotated" + token
		if got := w.tell(t, message(t, "proposal"), "")["oncall"]; got != notify.Sent {
			t.Errorf("%s; log:\n%s", got, &w.log)
		}
		got := w.requests()
		if len(got) != 2 || got[0].header.Get("X-Chatworktoken") != token || got[1].header.Get("X-Chatworktoken") != "rotated"+token {
			t.Errorf("asked %d times", len(got))
		}
		w.next(status(403), status(403))
		if got := w.tell(t, at(t, "applied", 1), "")["oncall"]; got != notify.Failed || w.secrets.fresh != 2 {
			t.Errorf("%s, read anew %d times", got, w.secrets.fresh)
		}
	})
}

// TestRotatedTokens: Slack says with a status of 200 that it does not know a token.
func TestRotatedTokens(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.Slack, nil)}, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"ok":false,"error":"token_revoked"}`)
		})
		w.secrets.rotate = "rotated" + token
		if got := w.tell(t, message(t, "proposal"), "")["oncall"]; got != notify.Sent || len(w.requests()) != 2 {
			t.Errorf("%s, asked %d times; log:\n%s", got, len(w.requests()), &w.log)
		}
	})
}

// TestWhatIsGoneIsSaidAnew: a message that somebody deleted cannot be updated.
func TestWhatIsGoneIsSaidAnew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.Slack, nil)})
		w.tell(t, at(t, "proposal", 0), "")
		w.next(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"ok":false,"error":"message_not_found"}`)
		})
		got := w.tell(t, at(t, "applied", 1), "")["oncall"]
		all := w.requests()
		if got != notify.Sent || len(all) != 3 || all[1].url != "/api/chat.update" || all[2].url != "/api/chat.postMessage" || strings.Contains(all[2].body, "thread_ts") {
			t.Errorf("%s, asked %d times; log:\n%s", got, len(all), &w.log)
		}
	})
}

// TestTimeForTheBook: a tool that hangs does not take the time in which what came of it is written down.
func TestTimeForTheBook(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{named("oncall", settings.Teams, nil)}, hang, hang, hang, hang)
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		m := message(t, "proposal")
		got := w.Tell(ctx, m, "oncall")
		if left := time.Until(deadline(ctx)); len(got) != 1 || got[0].Fate != notify.Failed || left < 5*time.Second {
			t.Errorf("%+v, and %s are left", got, left)
		}
		if n, err := w.book.Notice(t.Context(), m.Incident, "oncall"); err != nil || n.Revision != 2 || !n.Until.IsZero() || n.Said != "" {
			t.Errorf("the book has %+v, %v", n, err)
		}
	})
}

func deadline(ctx context.Context) time.Time {
	at, _ := ctx.Deadline()
	return at
}

// TestForgery: whatever a secret says, no request leaves for another host than the tool's, without TLS, or with a name and password.
func TestForgery(t *testing.T) {
	for _, tool := range []settings.Tool{settings.SlackWebhook, settings.Teams, settings.GoogleChat, settings.Discord, settings.Mattermost} {
		for _, secret := range []string{
			"http://hooks.slack.com/" + token, "https://169.254.169.254/latest/meta-data/" + token, "https://localhost/" + token,
			"https://hooks.slack.com.example.com/" + token, "https://user:" + token + "@hooks.slack.com/x", "https://hooks.slack.com:8443/" + token,
			"https://logic.azure.com.evil.example/" + token, "https://evil-logic.azure.com@evil.example/" + token, "file:///etc/" + token, token, "https://" + token,
			"https://hooks.slack.com\\@evil.example/" + token, "https://evil.example#hooks.slack.com/" + token, "//hooks.slack.com/" + token,
			"https://hooks.slack.com%2eevil.example/" + token, "https://\x00hooks.slack.com/" + token,
		} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, []settings.Target{named("oncall", tool, nil)})
				w.secrets.of[w.Targets[0].Secret.String()] = secret
				if got := w.tell(t, message(t, "proposal"), "")["oncall"]; got != notify.Failed || len(w.dialed) != 0 {
					t.Errorf("%s %q: %s, connected to %v", tool, secret, got, w.dialed)
				}
				if strings.Contains(w.log.String(), token) {
					t.Errorf("the secret shows:\n%s", &w.log)
				}
			})
		}
	}
}

// TestAddresses: a name that has become the address of this machine, of its network or of the metadata service is connected to by nobody.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"1.1.1.1:443", "52.94.236.248:443", "[2606:4700::1111]:443"} {
		if !notify.Public(address) {
			t.Errorf("%s is refused", address)
		}
	}
	for _, address := range []string{
		"127.0.0.1:443", "10.0.0.1:443", "172.16.0.1:443", "192.168.1.1:443", "169.254.169.254:443", "169.254.100.1:9001", "100.64.0.1:443",
		"0.0.0.0:443", "0.1.2.3:443", "224.0.0.1:443", "255.255.255.255:443", "198.18.0.1:443", "192.0.2.1:443", "[::1]:443", "[::]:443",
		"[fe80::1]:443", "[fd00:ec2::254]:443", "[::ffff:127.0.0.1]:443", "[::ffff:10.0.0.1]:443", "[64:ff9b::7f00:1]:443", "[2002:7f00:1::]:443",
		"[::127.0.0.1]:443", "[ff02::1]:443", "[2606:4700::1111%eth0]:443", "localhost:443", "",
	} {
		if notify.Public(address) {
			t.Errorf("%s is connected to", address)
		}
	}
	err := notify.NewClient().Get("https://localhost/")
	if err == nil || !strings.Contains(err.Error(), "not a public one") {
		t.Errorf("a name of this machine: %v", err)
	}
}

// TestLinksAreNoNews: each target is given a link of its own in its language with what the message's plan is; that it is another one each time is no
// news, what is over needs no code, and where there is no link people are told without.
func TestLinksAreNoNews(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, []settings.Target{
			named("mail", settings.Email, nil), named("japan", settings.Email, func(x *settings.Target) { x.Language = settings.Japanese }),
		})
		var mu sync.Mutex
		made, gone := map[string]int{}, false
		w.Link = func(_ context.Context, id, plan string, l settings.Language) (url, code string) {
			mu.Lock()
			defer mu.Unlock()
			if gone {
				return "", ""
			}
			of := id + " " + plan + " " + l.String()
			made[of]++
			return fmt.Sprintf("https://page.example/incidents/%s?t=%s%d", id, l, made[of]), fmt.Sprintf("CODE-%d", made[of])
		}
		m := message(t, "proposal")
		w.tell(t, m, "")
		if got := w.tell(t, m, ""); got["mail"] != notify.Known || got["japan"] != notify.Known {
			t.Errorf("again: %v", got)
		}
		for _, l := range settings.Languages() {
			if n := made[m.Incident+" "+m.Plan+" "+l.String()]; n != 1 {
				t.Errorf("%d links in %s: %v", n, l, made)
			}
		}
		texts := func() string {
			var out []string
			for _, in := range w.topics.in {
				out = append(out, *in.Message)
			}
			return strings.Join(out, "\n")
		}
		for _, want := range []string{
			"Look at it, and decide: https://page.example/incidents/" + m.Incident + "?t=en1", "詳細の確認と決定: https://page.example/", "CODE-1",
		} {
			if !strings.Contains(texts(), want) {
				t.Errorf("%q is not said:\n%s", want, texts())
			}
		}
		w.topics.in = nil
		w.tell(t, at(t, "resolved", 1), "")
		if text := texts(); !strings.Contains(text, "?t=en1") || strings.Contains(text, "CODE") {
			t.Errorf("what is over: %s", text)
		}
		w.topics.in, gone = nil, true
		other := at(t, "escalated", 2)
		other.Incident = "inc-11111111111111111111"
		if got := w.tell(t, other, ""); got["mail"] != notify.Sent || strings.Contains(texts(), "Look at it") {
			t.Errorf("without a link: %v\n%s", got, texts())
		}
	})
}
