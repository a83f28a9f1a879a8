package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
)

// Answers keeps what people answered, as a Ledger does. A File and an ApprovalTable do.
type Answers interface {
	// Approve keeps a sealed answer in place of an earlier one of the same person to the same plan.
	Approve(ctx context.Context, a incident.Approval) error
	// Answers is every answer to the plans of an incident, the latest first.
	Answers(ctx context.Context, id string) ([]incident.Approval, error)
	// Use marks an answer as used, once: incident.ErrUsed when it was.
	Use(ctx context.Context, a incident.Approval) error
}

// Sealer makes and verifies the seal of an approval. The one that can only verify returns an error from Seal.
type Sealer interface {
	Seal(ctx context.Context, message []byte) (mac []byte, err error)
	// Verify is incident.ErrForged for a seal that is not this sealer's.
	Verify(ctx context.Context, message, mac []byte) error
}

// Approvals is what people answered, and whether they did. Whoever can write where answers are kept, and does not have the seal,
// can take an answer away but give none.
type Approvals struct {
	Kept   Answers
	Sealer Sealer
	Now    func() time.Time
}

// Give seals an answer and keeps it.
func (p *Approvals) Give(ctx context.Context, a incident.Approval) (incident.Approval, error) {
	mac, err := p.Sealer.Seal(ctx, a.Message())
	if err != nil {
		return incident.Approval{}, fmt.Errorf("seal approval: %w", err)
	}
	a.MAC = mac
	return a, p.Kept.Approve(ctx, a)
}

// Answers is every answer that counts for the plan of the incident now, the latest first, and the latest alone of those of one ARN. Whose
// count together, and that a no stands against every yes, is for who asks. Where there are answers and none counts, the error says why
// the latest does not: incident.ErrForged, ErrOtherPlan, ErrExpired or ErrUsed. After any other error nothing is known: an answer that
// could not be read may be a no.
//
// Looking does not use an approval up: Use does, before anything is written.
func (p *Approvals) Answers(ctx context.Context, i incident.Incident) ([]incident.Approval, error) {
	all, err := p.Kept.Answers(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	var out []incident.Approval
	var refused error
	for _, a := range all {
		err := p.counts(ctx, a, i.Plan)
		if err != nil {
			err = fmt.Errorf("read approval of %s: %w", a.Approver, err)
		}
		switch {
		case err == nil:
			out = append(out, a)
		case incident.Void(err):
			refused = cmp.Or(refused, err)
		default:
			return nil, err
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return nil, refused
}

// counts verifies the seal first: what is not sealed says nothing.
func (p *Approvals) counts(ctx context.Context, a incident.Approval, plan string) error {
	if err := p.Sealer.Verify(ctx, a.Message(), a.MAC); err != nil {
		return err
	}
	return a.Counts(plan, p.Now())
}

// Use takes an approval that was read for one cure. Of any number of runs that have it, one gets nil.
func (p *Approvals) Use(ctx context.Context, a incident.Approval) error {
	err := p.counts(ctx, a, a.Plan)
	if err == nil && a.Answer != incident.Approve {
		err = errors.New("it is no approval")
	}
	if err != nil {
		return fmt.Errorf("use approval of %s: %w", a.Approver, err)
	}
	return p.Kept.Use(ctx, a)
}

// ApprovalTable keeps answers in a table of their own, so that a role can be allowed to give them and nothing else, and another one
// to use them and not to give any.
type ApprovalTable struct {
	Client *dynamodb.Client
	Name   string
	Now    func() time.Time
}

// ApproverNeeds is the IAM actions that Approve needs on the table.
func ApproverNeeds() []string { return []string{"dynamodb:GetItem", "dynamodb:PutItem"} }

// ReaderNeeds is the IAM actions that Answers and Use need on the table. A reader can mark an answer as used; that it cannot make
// one is up to the seal.
func ReaderNeeds() []string {
	return []string{"dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"}
}

// approvalRow is one person's latest answer to one plan.
type approvalRow struct {
	key
	Approval string `dynamodbav:"approval"` // as JSON
	Message  string `dynamodbav:"message"`  // what is sealed, by which answers are told apart
	At       string `dynamodbav:"at"`
	Used     string `dynamodbav:"used,omitempty"`
	// Expires is after the approval did: while it could count, an older one cannot be brought back in its place.
	Expires int64 `dynamodbav:"expires"`
}

func approvalKey(a incident.Approval) key {
	return key{"incident#" + a.Incident, "answer#" + digest(a.Plan, a.Approver)}
}

// Approve keeps a sealed answer.
func (t *ApprovalTable) Approve(ctx context.Context, a incident.Approval) error {
	err := a.Check()
	var text []byte
	if err == nil {
		text, err = json.Marshal(a)
	}
	if err == nil {
		row := approvalRow{approvalKey(a), string(text), string(a.Message()), stamp(a.At), "", a.Expires.Add(24 * time.Hour).Unix()}
		err = contend(ctx, func() error {
			err := put(ctx, t.Client, t.Name, row, absent.Or(expression.Name("at").LessThan(expression.Value(row.At))))
			if !contended(err) {
				return err
			}
			return t.instead(ctx, a, err, func(old approvalRow) error {
				if old.Message == row.Message {
					return nil
				}
				if old.At >= row.At {
					return incident.ErrStale
				}
				return err
			})
		})
	}
	if err != nil {
		return fmt.Errorf("keep approval: %w", err)
	}
	return nil
}

// Given is what somebody answered last to a plan of an incident; false: nothing is kept. It is for showing them what they said: whether it
// is sealed is not looked at.
func (t *ApprovalTable) Given(ctx context.Context, id, plan, who string) (a incident.Approval, ok bool, err error) {
	row, ok, err := get[approvalRow](ctx, t.Client, t.Name, approvalKey(incident.Approval{Incident: id, Plan: plan, Approver: who}))
	if err == nil && ok {
		err = json.Unmarshal([]byte(row.Approval), &a)
	}
	if err != nil {
		return incident.Approval{}, false, fmt.Errorf("read answer of %s: %w", who, err)
	}
	return a, ok, nil
}

// instead looks what stands in the way of a write, and has say whether that is why it was refused.
func (t *ApprovalTable) instead(ctx context.Context, a incident.Approval, missing error, say func(approvalRow) error) error {
	old, ok, err := get[approvalRow](ctx, t.Client, t.Name, approvalKey(a))
	if err != nil {
		return err
	}
	if !ok {
		return missing
	}
	return say(old)
}

// Answers is every answer to the plans of an incident, the latest first.
func (t *ApprovalTable) Answers(ctx context.Context, id string) ([]incident.Approval, error) {
	var l incident.Ledger
	err := query(ctx, t.Client, &dynamodb.QueryInput{TableName: aws.String(t.Name)},
		expression.Key("pk").Equal(expression.Value("incident#"+id)), func(row approvalRow) (bool, error) {
			var a incident.Approval
			err := json.Unmarshal([]byte(row.Approval), &a)
			if err == nil && row.Used != "" {
				a.Used, err = moment(row.Used)
			}
			l.Approvals = append(l.Approvals, a)
			return true, err
		})
	if err != nil {
		return nil, fmt.Errorf("read approvals of incident %s: %w", id, err)
	}
	return l.Answers(id), nil
}

// Use marks an answer as used, once.
func (t *ApprovalTable) Use(ctx context.Context, a incident.Approval) error {
	message := string(a.Message())
	err := contend(ctx, func() error {
		e, err := expression.NewBuilder().
			WithUpdate(expression.Set(expression.Name("used"), expression.Value(stamp(t.Now())))).
			WithCondition(is("message", message).And(expression.AttributeNotExists(expression.Name("used")))).
			Build()
		if err != nil {
			return err
		}
		_, err = t.Client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(t.Name), Key: approvalKey(a).attributes(), UpdateExpression: e.Update(),
			ConditionExpression: e.Condition(), ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
		})
		if !contended(err) {
			return err
		}
		return t.instead(ctx, a, incident.ErrNotFound, func(old approvalRow) error {
			switch {
			case old.Message != message:
				return incident.ErrStale
			case old.Used != "":
				return incident.ErrUsed
			}
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("use approval: %w", err)
	}
	return nil
}

// spentRow is a word that was taken once.
type spentRow struct {
	key
	Expires int64 `dynamodbav:"expires"`
}

// Spend takes a word that is good for one time, such as the nonce of a link: of any number of times, one gets nil and every other one
// incident.ErrUsed. It is remembered until that time at least, after which whoever takes it must refuse it by itself. Where the answer of
// the table is lost the word is taken, and nobody may have got nil.
func (t *ApprovalTable) Spend(ctx context.Context, word string, until time.Time) error {
	row := spentRow{key{"spent#" + digest(word), "spent"}, until.Add(time.Hour).Unix()}
	err := put(ctx, t.Client, t.Name, row, absent)
	switch {
	case awserr.Is(err, awserr.Conflict):
		return incident.ErrUsed
	case err != nil:
		return fmt.Errorf("take what is good for one time: %w", err)
	}
	return nil
}
