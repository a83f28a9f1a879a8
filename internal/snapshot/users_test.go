package snapshot_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

const (
	hoge      = "arn:aws:iam::444455556666:user/app/hoge"
	withUsers = `{"schema": "replimend/snapshot/v1", "users": {
		"arn:aws:iam::444455556666:user/app/hoge": {"inline": {"p": {"Version": "2012-10-17", "Statement": []}}, "groups": {"g": {"inline": {}}}, "boundary": null},
		"arn:aws:iam::444455556666:user/gone": null
	}}`
)

func parseUsers(t *testing.T) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Parse([]byte(withUsers))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func userARN(t *testing.T, s string) policy.ARN {
	t.Helper()
	a, err := policy.ParseARN(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestUsersHaveThreeStates(t *testing.T) {
	t.Parallel()
	s := parseUsers(t)
	user := s.Users[userARN(t, hoge)]
	for name, states := range map[string][2]snapshot.State{
		"user":               {user.State, snapshot.Present},
		"inline":             {user.V.Inline.State, snapshot.Present},
		"attached":           {user.V.Attached.State, snapshot.Missing},
		"boundary":           {user.V.Boundary.State, snapshot.Absent},
		"policies of groups": {user.V.Groups.V["g"].Inline.State, snapshot.Present},
		"attached of groups": {user.V.Groups.V["g"].Attached.State, snapshot.Missing},
		"user who is gone":   {s.Users[userARN(t, "arn:aws:iam::444455556666:user/gone")].State, snapshot.Absent},
		"user not asked for": {s.Users[userARN(t, "arn:aws:iam::444455556666:user/other")].State, snapshot.Missing},
	} {
		if states[0] != states[1] {
			t.Errorf("%s: state %d, want %d", name, states[0], states[1])
		}
	}
	again, err := snapshot.Parse([]byte(s.Indent()))
	if err != nil || again.Indent() != s.Indent() {
		t.Errorf("printed and read again: %v\n%s", err, again.Indent())
	}
}

func TestUserPoliciesAreFoundAndReplaced(t *testing.T) {
	t.Parallel()
	s := parseUsers(t)
	ref := snapshot.Ref{Kind: snapshot.UserPolicy, ID: hoge, Name: "Replimend"}
	if got := s.Document(ref).State; got != snapshot.Absent {
		t.Errorf("a policy that the user has not: state %d", got)
	}
	after, ok := s.WithDocument(ref, s.Document(snapshot.Ref{Kind: snapshot.UserPolicy, ID: hoge, Name: "p"}))
	if !ok || after.Document(ref).State != snapshot.Present || s.Document(ref).State != snapshot.Absent {
		t.Errorf("written %t: after %d, before %d", ok, after.Document(ref).State, s.Document(ref).State)
	}
	ref.ID = "arn:aws:iam::444455556666:user/gone"
	if _, ok := s.WithDocument(ref, after.Document(ref)); ok {
		t.Error("a user who does not exist has a policy")
	}
}

func TestUsersHaveARNsOfAccounts(t *testing.T) {
	t.Parallel()
	_, err := snapshot.Parse([]byte(strings.Replace(withUsers, "444455556666:user/gone", "4444:user/gone", 1)))
	if err == nil || !strings.Contains(err.Error(), "users") {
		t.Errorf("error %v, want one that names the user", err)
	}
}
