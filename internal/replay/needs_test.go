package replay_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/replay"
	"github.com/replimend/replimend/internal/settings"
)

// TestSessionPolicyAllowsWhatIsNeeded, and nothing else: no other role is passed and no other bucket written to.
func TestSessionPolicyAllowsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	role := policy.ARN{Partition: "aws-cn", Service: "iam", Account: "111122223333", Resource: "role/own-batch"}
	text, err := replay.SessionPolicy("111122223333", "cn-north-1", role, "own-reports")
	if err != nil {
		t.Fatal(err)
	}
	d, err := policy.Parse([]byte(text))
	if err != nil || d.Version != policy.Version2012 {
		t.Fatalf("%v: %s", err, text)
	}
	want := map[string]string{
		"s3:CreateJob": "*", "s3:ListJobs": "*", "s3:DescribeJob": "arn:aws-cn:s3:cn-north-1:111122223333:job/*",
		"iam:PassRole": role.String(), "s3:PutObject": "arn:aws-cn:s3:::own-reports/manifests/*",
	}
	for _, s := range d.Statements {
		action := strings.Join(s.Action.Values, " ")
		if s.Effect != policy.Allow || strings.Join(s.Resource.Values, " ") != want[action] || s.Action.Not || s.Resource.Not {
			t.Errorf("%s on %v, want %q", action, s.Resource.Values, want[action])
		}
		delete(want, action)
	}
	if len(want) > 0 {
		t.Errorf("it lacks %v", want)
	}
	for _, n := range replay.Needs() {
		if n.Role == settings.Replayer && !strings.Contains(text, `"`+n.Action+`"`) {
			t.Errorf("it lacks %s", n.Action)
		}
	}
}
