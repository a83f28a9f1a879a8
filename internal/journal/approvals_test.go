package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/mototest"
)

func secret(t *testing.T, letter string) journal.Secret {
	t.Helper()
	s, err := journal.NewSecret([]byte(strings.Repeat(letter, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sealers is both kinds, each with one that is not it.
func sealers(t *testing.T) map[string][2]journal.Sealer {
	t.Helper()
	server := mototest.Start(t)
	c := kms.NewFromConfig(server.Config(t, server.Account(), "eu-west-1"))
	key := func() journal.KMS {
		out, err := c.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac})
		if err != nil {
			t.Fatal(err)
		}
		return journal.KMS{Client: c, Key: aws.ToString(out.KeyMetadata.Arn)}
	}
	return map[string][2]journal.Sealer{"a secret": {secret(t, "a"), secret(t, "b")}, "KMS": {key(), key()}}
}

func TestSealsAreOfTheMessageAndTheKey(t *testing.T) {
	t.Parallel()
	for name, s := range sealers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := bytes.Repeat([]byte("a long message "), 1000)
			mac, err := s[0].Seal(t.Context(), message)
			if err != nil {
				t.Fatal(err)
			}
			if err := s[0].Verify(t.Context(), message, mac); err != nil {
				t.Errorf("its own seal: %v", err)
			}
			other := bytes.Clone(mac)
			other[0] ^= 1
			for name, err := range map[string]error{
				"another message": s[0].Verify(t.Context(), message[1:], mac),
				"another seal":    s[0].Verify(t.Context(), message, other),
				"a part of it":    s[0].Verify(t.Context(), message, mac[:16]),
				"no seal":         s[0].Verify(t.Context(), message, nil),
				"another key":     s[1].Verify(t.Context(), message, mac),
			} {
				if !errors.Is(err, incident.ErrForged) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestSecretsDoNotShow: however a secret or what holds it is printed, its key is not in it.
func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef0123456789abcdef"
	s, err := journal.NewSecret([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct{ inside any }{&journal.Approvals{Sealer: s}}
	var printed []string
	for _, value := range []any{s, &s, hidden, []journal.Secret{s}, map[string]any{"s": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	text, err := json.Marshal(map[string]any{"s": s})
	if err != nil || string(text) != `{"s":"***"}` {
		t.Errorf("as JSON it is %s, %v", text, err)
	}
	if fmt.Sprint(s) != "***" || fmt.Sprintf("%#v", s) != "***" {
		t.Errorf("it prints as %v and %#v", s, s)
	}
	for _, p := range append(printed, string(text)) {
		for _, leak := range []string{key, fmt.Sprintf("%x", key), fmt.Sprint([]byte(key)[:8])[1:20], "0x30, 0x31"} {
			if strings.Contains(p, leak) {
				t.Errorf("%q shows in %q", leak, p)
			}
		}
	}
	if _, err := journal.NewSecret([]byte(key[1:])); err == nil || strings.Contains(err.Error(), key[1:]) {
		t.Errorf("31 bytes: %v", err)
	}
	var none journal.Secret
	if _, err := none.Seal(t.Context(), nil); err == nil {
		t.Error("sealed without a secret")
	}
	if err := none.Verify(t.Context(), nil, nil); err == nil {
		t.Error("verified without a secret")
	}
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
				p := &journal.Approvals{Kept: make(t, clock), Sealer: secret(t, "a"), Now: clock.Now}
				giver := *p
				if tt.forged {
					giver.Sealer = secret(t, "b")
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
	for name, s := range sealers(t) {
		p := &journal.Approvals{Kept: approvals, Sealer: s[0], Now: clock.Now}
		a := journaltest.Approval(incident.Approve, "ann", clock.Now().In(time.FixedZone("x", 3600)).Add(123456789))
		a.Incident, a.MAC = name, nil
		given, err := p.Give(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Answers(t.Context(), incident.Incident{ID: name, Plan: a.Plan})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]incident.Approval{given}, got); diff != "" {
			t.Errorf("%s (-given +got):\n%s", name, diff)
		}
		if err := p.Use(t.Context(), given); err != nil {
			t.Errorf("%s: %v", name, err)
		}
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
	p = &journal.Approvals{Kept: f, Sealer: unsealing{secret(t, "a"), "user/ann"}, Now: clock.Now}
	if _, err := p.Give(t.Context(), journaltest.Approval(incident.Approve, "bob", clock.Now())); err != nil {
		t.Fatal(err)
	}
	if a, err := p.Answers(t.Context(), incident.Incident{ID: "inc-1", Plan: "abc"}); !errors.Is(err, errNoKey) || a != nil {
		t.Errorf("%v, %v", a, err)
	}
}
