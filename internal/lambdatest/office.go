package lambdatest

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/seal"
)

// Plan is the hash of the plan that people are asked about in an Office.
const Plan = "sha256:3f9a1c0d5b7e2486a1f0c3d2e4b5968778695a4b3c2d1e0f9a8b7c6d5e4f3021"

// Office is a Cloud in which people are asked about an incident, with the key that seals what they answer, for a function that takes
// answers.
type Office struct {
	*Cloud
	Calls *Calls
	ID    string // of the incident
	// Answers is what people answered, as the worker reads it.
	Answers *journal.Approvals

	secrets *secretsmanager.Client
}

// NewOffice makes one in the emulator, of which nobody else has anything.
func NewOffice(t *testing.T) *Office {
	t.Helper()
	s := mototest.Start(t)
	o := &Office{Calls: NewCalls(t, s)}
	o.Cloud = NewCloud(t, s, s.Proxy(t, o.Calls.Handle))
	cfg := s.Config(t, o.Account, "us-east-1")
	sealer := SealKey(t, kms.NewFromConfig(cfg))
	o.Env = append(o.Env, "REPLIMEND_SEAL_KEY="+sealer.Key)
	o.Answers = &journal.Approvals{
		Kept: &journal.ApprovalTable{Client: dynamodb.NewFromConfig(cfg), Name: "approvals", Now: time.Now}, Sealer: sealer, Now: time.Now,
	}
	o.secrets = secretsmanager.NewFromConfig(cfg)
	now := time.Now()
	route := incident.Route{Source: "payroll-source", Rule: "everything", Destination: "payroll-replicas"}
	i := incident.Incident{ID: incident.ID(route, now), Route: route, Outcome: incident.Open, Opened: now}
	i.Failures.Add(incident.Object{Key: "passport.pdf", VersionID: "v1"}, now)
	i, err := o.Table.Open(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	i.Plan, i.Causes = Plan, []string{"role-lacks-replicate"}
	i.Become(incident.AwaitingApproval, now, "nobody answered yet")
	i.Proposal = incident.NewProposal(Plan, now, "+ a statement", []string{"mode: approve"}, 1)
	if _, err := o.Table.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	o.ID = i.ID
	return o
}

// SealKey makes a key that seals approvals.
func SealKey(t *testing.T, keys *kms.Client) seal.KMS {
	t.Helper()
	key, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac})
	if err != nil {
		t.Fatal(err)
	}
	return seal.KMS{Client: keys, Key: aws.ToString(key.KeyMetadata.Arn)}
}

// Secret keeps a secret in Secrets Manager, and gives its ARN.
func (o *Office) Secret(name, text string) string {
	o.t.Helper()
	out, err := o.secrets.CreateSecret(o.t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(name), SecretString: aws.String(text)})
	if err != nil {
		o.t.Fatal(err)
	}
	return aws.ToString(out.ARN)
}

// Kept is what people answered that counts now, such as "approve by arn:…", the latest first.
func (o *Office) Kept() (out []string) {
	o.t.Helper()
	i, err := o.Table.Get(o.t.Context(), o.ID)
	if err != nil {
		o.t.Fatal(err)
	}
	all, err := o.Answers.Answers(o.t.Context(), i)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, a := range all {
		out = append(out, string(a.Answer)+" by "+a.Approver)
	}
	return out
}
