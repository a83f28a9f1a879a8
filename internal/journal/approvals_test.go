package journal_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/mototest"
)

// secret is a sealer with that key.
type secret string

func (s secret) Seal(_ context.Context, message []byte) ([]byte, error) {
	h := hmac.New(sha256.New, []byte(s))
	h.Write(message)
	return h.Sum(nil), nil
}

func (s secret) Verify(ctx context.Context, message, mac []byte) error {
	if want, _ := s.Seal(ctx, message); !hmac.Equal(want, mac) {
		return incident.ErrForged
	}
	return nil
}

// TestAnswersThatDoNotCount: each refusal says which it is.
func TestAnswersThatDoNotCount(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	for kind, make := range map[string]func(t *testing.T, c *journaltest.Clock) journal.Answers{
		"file": func(t *testing.T, c *journaltest.Clock) journal.Answers {
			f := file(t)
			f.Now = c.Now
			return f
		},
		"table": func(t *testing.T, c *journaltest.Clock) journal.Answers {
			_, approvals := tables(t, client(t, s), c)
			return approvals
		},
	} {
		yes := func(approver string, at time.Duration) incident.Approval {
			return journaltest.Approval(incident.Approve, approver, journaltest.Start.Add(at))
		}
		no := func(approver string, at time.Duration) incident.Approval {
			return journaltest.Approval(incident.Decline, approver, journaltest.Start.Add(at))
		}
		all := func(a ...incident.Approval) []incident.Approval { return a }
		other := yes("ann", 0)
		other.Plan = "abd"
		for name, tt := range map[string]struct {
			given   []incident.Approval
			forged  bool // as if somebody had written to the table without the seal
			used    bool
			pass    time.Duration
			want    string // answers and who gave them
			wantErr error
		}{
			"nobody answered":             {},
			"approved":                    {given: all(yes("ann", 0)), want: "approve ann"},
			"declined":                    {given: all(no("ann", 0)), want: "decline ann"},
			"approved by two":             {given: all(yes("ann", 0), yes("bob", 1)), want: "approve bob, approve ann"},
			"one declined, one approved":  {given: all(no("ann", 0), yes("bob", 1)), want: "approve bob, decline ann"},
			"declined and then approved":  {given: all(no("ann", 0), yes("ann", 1)), want: "approve ann"},
			"the decline has expired":     {given: all(no("ann", -time.Hour), yes("bob", 0)), want: "approve bob"},
			"forged":                      {given: all(yes("ann", 0)), forged: true, wantErr: incident.ErrForged},
			"another plan":                {given: all(other), wantErr: incident.ErrOtherPlan},
			"expired":                     {given: all(yes("ann", 0)), pass: time.Hour, wantErr: incident.ErrExpired},
			"used":                        {given: all(yes("ann", 0)), used: true, wantErr: incident.ErrUsed},
			"another plan, and this plan": {given: all(yes("ann", 0), other), want: "approve ann"},
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				clock := journaltest.NewClock()
				p := &journal.Approvals{Kept: make(t, clock), Sealer: secret("a"), Now: clock.Now}
				giver := *p
				if tt.forged {
					giver.Sealer = secret("b")
				}
				for _, a := range tt.given {
					a.MAC = nil
					a, err := giver.Give(t.Context(), a)
					if err != nil {
						t.Fatal(err)
					}
					if tt.forged {
						if err := p.Use(t.Context(), a); !errors.Is(err, incident.ErrForged) {
							t.Errorf("using it: %v", err)
						}
					}
					if tt.used {
						if err := p.Use(t.Context(), a); err != nil {
							t.Fatal(err)
						}
						if err := p.Use(t.Context(), a); !errors.Is(err, incident.ErrUsed) {
							t.Errorf("using it twice: %v", err)
						}
					}
				}
				clock.Pass(tt.pass)
				got, err := p.Answers(t.Context(), incident.Incident{ID: "inc-1", Plan: "abc"})
				var said []string
				for _, a := range got {
					said = append(said, string(a.Answer)+" "+a.Approver[strings.LastIndex(a.Approver, "/")+1:])
					if err := p.Use(t.Context(), a); (err == nil) != (a.Answer == incident.Approve) {
						t.Errorf("using what %s said (%s): %v", a.Approver, a.Answer, err)
					}
				}
				if !errors.Is(err, tt.wantErr) || strings.Join(said, ", ") != tt.want {
					t.Errorf("%q, %v; want %q, %v", said, err, tt.want, tt.wantErr)
				}
			})
		}
	}
}

// TestApprovalsAreReadAsSealed: what comes back from where it is kept still has its seal.
func TestApprovalsAreReadAsSealed(t *testing.T) {
	t.Parallel()
	clock := journaltest.NewClock()
	_, approvals := tables(t, client(t, mototest.Start(t)), clock)
	p := &journal.Approvals{Kept: approvals, Sealer: secret("a"), Now: clock.Now}
	a := journaltest.Approval(incident.Approve, "ann", clock.Now().In(time.FixedZone("x", 3600)).Add(123456789))
	a.MAC = nil
	given, err := p.Give(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Answers(t.Context(), incident.Incident{ID: a.Incident, Plan: a.Plan})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]incident.Approval{given}, got); diff != "" {
		t.Errorf("(-given +got):\n%s", diff)
	}
	if err := p.Use(t.Context(), given); err != nil {
		t.Error(err)
	}
}

// unsealing is a sealer that fails, as KMS does where the key is gone; with a name, only for the answers of that person.
type unsealing struct {
	journal.Sealer
	name string
}

var errNoKey = errors.New("no key")

func (u unsealing) Seal(ctx context.Context, message []byte) ([]byte, error) {
	if !strings.Contains(string(message), u.name) {
		return u.Sealer.Seal(ctx, message)
	}
	return nil, errNoKey
}

func (u unsealing) Verify(ctx context.Context, message, mac []byte) error {
	if !strings.Contains(string(message), u.name) {
		return u.Sealer.Verify(ctx, message, mac)
	}
	return errNoKey
}

// TestWhatCannotBeVerifiedDoesNotCount: when the seal cannot be looked at, nobody has approved.
func TestWhatCannotBeVerifiedDoesNotCount(t *testing.T) {
	t.Parallel()
	clock := journaltest.NewClock()
	f := file(t)
	f.Now = clock.Now
	p := &journal.Approvals{Kept: f, Sealer: unsealing{}, Now: clock.Now}
	if err := f.Approve(t.Context(), journaltest.Approval(incident.Approve, "ann", clock.Now())); err != nil {
		t.Fatal(err)
	}
	if a, err := p.Answers(t.Context(), incident.Incident{ID: "inc-1", Plan: "abc"}); !errors.Is(err, errNoKey) || a != nil {
		t.Errorf("%v, %v", a, err)
	}
	if err := p.Use(t.Context(), journaltest.Approval(incident.Approve, "ann", clock.Now())); !errors.Is(err, errNoKey) {
		t.Errorf("used with %v", err)
	}
	if _, err := p.Give(t.Context(), journaltest.Approval(incident.Approve, "ann", clock.Now())); !errors.Is(err, errNoKey) {
		t.Errorf("given with %v", err)
	}

	// Ann may have declined: as long as that is not known, what bob approved is not carried out.
	p = &journal.Approvals{Kept: f, Sealer: unsealing{secret("a"), "user/ann"}, Now: clock.Now}
	if _, err := p.Give(t.Context(), journaltest.Approval(incident.Approve, "bob", clock.Now())); err != nil {
		t.Fatal(err)
	}
	if a, err := p.Answers(t.Context(), incident.Incident{ID: "inc-1", Plan: "abc"}); !errors.Is(err, errNoKey) || a != nil {
		t.Errorf("%v, %v", a, err)
	}
}
