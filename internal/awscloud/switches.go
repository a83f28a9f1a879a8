package awscloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// SwitchParameter is the name of the SSM parameter that is the kill switch of an account, and in the hub that of everything.
const SwitchParameter = "/replimend/kill-switch"

// SwitchOff is the one value of the parameter with which the switch is not thrown, besides that there is no parameter.
const SwitchOff = "off"

// Switches reads kill switches. A switch is thrown when its parameter has any value but SwitchOff: a typo of somebody who wants to
// stop everything must stop everything, and a value such as "on: jane, ticket 42" says who did and why. What cannot be read is an
// error, never a switch that is not thrown. It can be used by many goroutines.
//
// The hub's switch is read with the credentials and in the Region of Access.Base; that of an account as everything else of it is,
// in the first Region of the member, or the hub's where the account is none.
type Switches struct {
	accounts *Accounts
	note     func(string)

	mu   sync.Mutex
	told []string
}

// NewSwitches makes no call. Note is told of each thrown switch once: its value, since when, and how it is lifted. It may be
// nil.
func NewSwitches(a *Accounts, note func(string)) *Switches { return &Switches{accounts: a, note: note} }

// switchPlace is where a switch is read.
type switchPlace struct {
	name   string // of the switch: incident.Hub or the account's id
	owner  string // in words
	config aws.Config
}

// Thrown is those of the accounts whose switch is thrown, or incident.Hub alone where that of the hub is.
func (s *Switches) Thrown(ctx context.Context, accounts []string) ([]string, error) {
	base := s.accounts.access.Base
	places := []switchPlace{{incident.Hub, "the hub", base}}
	for _, account := range accounts {
		region := base.Region
		m, member := s.accounts.member(account)
		if member {
			region = m.Regions[0]
		}
		if _, direct := s.accounts.access.Direct[account]; !member && !direct {
			return nil, fmt.Errorf("read kill switch of account %s: it is no member, and no credentials lead into it", account)
		}
		places = append(places, switchPlace{account, "account " + account, s.accounts.Reader(account, region)})
	}
	thrown, errs := make([]string, len(places)), make([]error, len(places))
	var g sync.WaitGroup
	for i, p := range places {
		g.Go(func() { thrown[i], errs[i] = p.thrown(ctx) })
	}
	g.Wait()
	if thrown[0] != "" {
		places, errs = places[:1], nil // whatever the others say: an error would have what was written undone
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var out []string
	for i, p := range places {
		if thrown[i] != "" {
			out = append(out, p.name)
			s.tell(p.name, thrown[i])
		}
	}
	return out, nil
}

// thrown reads one switch, and says what there is to tell of one that is thrown; "": it is not. A SecureString is not decrypted:
// whatever it hides, its ciphertext is not SwitchOff.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
func (p switchPlace) thrown(ctx context.Context) (string, error) {
	got, err := ssm.NewFromConfig(p.config).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(SwitchParameter)})
	switch {
	case awserr.Code(err) == awserr.NoParameter:
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read kill switch of %s in %s: %w", p.owner, p.config.Region, err)
	case got.Parameter == nil:
		return "", fmt.Errorf("read kill switch of %s in %s: the answer has no parameter", p.owner, p.config.Region)
	}
	value := aws.ToString(got.Parameter.Value)
	if value == SwitchOff {
		return "", nil
	}
	since := ""
	if at := got.Parameter.LastModifiedDate; at != nil {
		since = " since " + at.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("the kill switch of %s is thrown%s, with the value %q; with that account's credentials, "+
		"aws ssm delete-parameter --name %s --region %s lifts it", p.owner, since, forPeople(value), SwitchParameter, p.config.Region), nil
}

// tell notes each switch once: it is asked before every write.
func (s *Switches) tell(name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.note == nil || slices.Contains(s.told, name) {
		return
	}
	s.told = append(s.told, name)
	s.note(text)
}

// switchNeeds is what reading the kill switch of an account needs of its reader role.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
var switchNeeds = []preflight.Need{{
	Role: settings.Reader, Action: "ssm:GetParameter", Resource: "arn:${Partition}:ssm:${MemberRegion}:${Account}:parameter" + SwitchParameter,
	Why: "nothing is written where the kill switch cannot be read",
}}
