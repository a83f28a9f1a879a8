package awscloud_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/settings"
)

// throw writes the parameter as a person does.
func throw(t *testing.T, cfg aws.Config, value string) {
	t.Helper()
	made(t)(ssm.NewFromConfig(cfg).PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("/replimend/kill-switch"), Value: &value, Type: types.ParameterTypeString, Overwrite: aws.Bool(true),
	}))
}

// TestSwitchIsThrownByAnythingButOff: what somebody types in a hurry stops.
func TestSwitchIsThrownByAnythingButOff(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	hub := s.Account()
	cfg := s.Config(t, hub, "us-east-1")
	switches := awscloud.NewSwitches(direct(cfg, hub), nil)
	if thrown, err := switches.Thrown(t.Context(), nil); err != nil || len(thrown) > 0 {
		t.Fatalf("without a parameter: %v, %v", thrown, err)
	}
	for value, want := range map[string]bool{
		"on": true, "ON": true, "onn": true, "true": true, "Off": true, "off ": true, "of": true, "offf": true, "on: jane, ticket 42": true, "off": false,
	} {
		throw(t, cfg, value)
		if thrown, err := switches.Thrown(t.Context(), nil); err != nil || slices.Equal(thrown, []string{incident.Hub}) != want {
			t.Errorf("%q: thrown %v, %v", value, thrown, err)
		}
	}
}

// TestSwitchesOfAccounts: each is read where it is, with the reader of its account, and stops its account alone.
func TestSwitchesOfAccounts(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	hub, member, person := s.Account(), s.Account(), s.Account()
	base := s.Config(t, hub, "us-east-1")
	var notes []string
	switches := awscloud.NewSwitches(awscloud.NewAccounts(awscloud.Access{
		Base: base, Direct: map[string]aws.Config{person: s.Config(t, person, "ap-south-1")},
		Members: []settings.Member{{Account: member, Regions: []string{"eu-west-1", "eu-central-1"}}},
	}), func(text string) { notes = append(notes, text) })
	check := func(when string, want ...string) {
		t.Helper()
		if thrown, err := switches.Thrown(t.Context(), []string{member, person}); err != nil || !slices.Equal(thrown, want) {
			t.Errorf("%s: %v, %v", when, thrown, err)
		}
	}
	check("none")
	throw(t, s.Config(t, member, "us-east-1"), "on")
	throw(t, s.Config(t, member, "eu-central-1"), "on")
	throw(t, s.Config(t, person, "ap-south-1"), "on")
	check("in Regions where nobody looks")
	throw(t, s.Config(t, member, "eu-west-1"), "on: \x1b[31mjane")
	check("in the member's first Region", member)
	throw(t, s.Config(t, person, "us-east-1"), "on")
	check("in the hub's Region of an account that is no member", member, person)
	throw(t, base, "on")
	check("in the hub", incident.Hub)
	if len(notes) != 3 || !strings.Contains(notes[0], "account "+member) || !strings.Contains(notes[0], "jane") ||
		!strings.Contains(notes[0], "delete-parameter --name /replimend/kill-switch --region eu-west-1 lifts it") || strings.Contains(notes[0], "\x1b") {
		t.Errorf("notes %q", notes)
	}
	if thrown, err := awscloud.NewSwitches(awscloud.NewAccounts(awscloud.Access{Base: base}), nil).Thrown(t.Context(), []string{"111122223333"}); err == nil {
		t.Errorf("an account that nothing leads into: %v", thrown)
	}
}

// TestSwitchThatCannotBeRead is an error, whatever the reason, unless the hub's is thrown.
func TestSwitchThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	hub, member := s.Account(), s.Account()
	cfg := s.Config(t, hub, "us-east-1")
	for code, status := range map[string]int{
		"AccessDeniedException": http.StatusBadRequest, "ResourceNotFoundException": http.StatusNotFound, "NotFoundException": http.StatusNotFound,
		"ParameterVersionNotFound": http.StatusBadRequest, "InvalidKeyId": http.StatusBadRequest, "": http.StatusNotFound,
	} {
		refused := s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetParameter") || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
				return false
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"__type": "`+code+`"}`)
			return true
		})
		switches := awscloud.NewSwitches(awscloud.NewAccounts(awscloud.Access{
			Base: s.ConfigAt(t, refused, hub, "us-east-1"), Direct: map[string]aws.Config{member: s.ConfigAt(t, refused, member, "us-east-1")},
			Members: []settings.Member{{Account: member, Regions: []string{"eu-west-1"}}},
		}), nil)
		throw(t, cfg, "off")
		thrown, err := switches.Thrown(t.Context(), []string{member})
		if err == nil || thrown != nil || !strings.Contains(err.Error(), "read kill switch of account "+member+" in eu-west-1: ") {
			t.Errorf("%q: %v, %v", code, thrown, err)
		}
		throw(t, cfg, "on")
		if thrown, err := switches.Thrown(t.Context(), []string{member}); err != nil || !slices.Equal(thrown, []string{incident.Hub}) {
			t.Errorf("%q, and the hub's is thrown: %v, %v", code, thrown, err)
		}
	}
}
