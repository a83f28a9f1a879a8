package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Answer is what a person said to a plan.
type Answer string

// The answers. The zero Answer is none.
const (
	NoAnswer Answer = ""
	Approve  Answer = "approve"
	Decline  Answer = "decline"
	// Undo is that what was written for that plan, or an earlier one of the incident, is to be taken back.
	Undo Answer = "undo"
)

// ByCode is the approver of an answer of whoever has the code of a message. Who that is, nobody knows: it can decline and do nothing else,
// and whoever is known can overrule it.
const ByCode = "whoever has the code of the message"

// Why an approval does not count.
var (
	ErrForged    = errors.New("the approval does not bear the seal of who may approve")
	ErrOtherPlan = errors.New("the approval is for another plan")
	ErrExpired   = errors.New("the approval has expired")
	ErrUsed      = errors.New("the approval was used already")
)

// Void says whether an error is one of these: the approval is known not to count.
func Void(err error) bool {
	return errors.Is(err, ErrForged) || errors.Is(err, ErrOtherPlan) || errors.Is(err, ErrExpired) || errors.Is(err, ErrUsed)
}

// Approval is one person's answer to exactly one plan of one incident, for a time, and good for one cure. Its JSON form has schema
// "replimend/approval/v1" as its first member.
type Approval struct {
	// The ID of the incident.
	Incident string `json:"incident"`
	// The hash of the plan.
	Plan string `json:"plan"`
	// What the person said.
	Answer Answer `json:"answer"`
	// Who is accountable: an ARN, or ByCode.
	Approver string `json:"approver"`
	// When it was given. A later answer of the same person to the same plan takes the place of an earlier one.
	At time.Time `json:"at"`
	// From when on it does not count any more.
	Expires time.Time `json:"expires"`
	// MAC is the seal over Message. Who can read approvals can verify it; only who may approve can make it.
	MAC []byte `json:"mac"`
	// When it was used. The seal does not cover it: that it was not used is said by the table that it is kept in.
	Used time.Time `json:"used,omitzero"`
}

// ApprovalSchema is the version of an approval's JSON form, and of what its seal covers.
const ApprovalSchema = "replimend/approval/v1"

type writtenApproval Approval

// MarshalJSON writes the approval with its schema.
func (a Approval) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Schema string `json:"schema"`
		writtenApproval
	}{ApprovalSchema, writtenApproval(a)})
}

// UnmarshalJSON reads an approval, and refuses one of another schema.
func (a *Approval) UnmarshalJSON(data []byte) error {
	in := struct {
		Schema string `json:"schema"`
		*writtenApproval
	}{writtenApproval: (*writtenApproval)(a)}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	if in.Schema != ApprovalSchema {
		return fmt.Errorf("read approval: schema %.80q is not %q", in.Schema, ApprovalSchema)
	}
	return nil
}

// Message is what the seal covers: every member but the seal and the use, each with its length before it, so that no two approvals
// have the same.
func (a Approval) Message() []byte {
	var b strings.Builder
	for _, field := range []string{
		ApprovalSchema, a.Incident, a.Plan, string(a.Answer), a.Approver, instant(a.At), instant(a.Expires),
	} {
		fmt.Fprintf(&b, "%d:%s,", len(field), field)
	}
	return []byte(b.String())
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Counts says why the answer does not count for the plan of that hash now; nil when it does. It does not look at the seal.
func (a Approval) Counts(plan string, now time.Time) error {
	switch {
	case plan == "" || a.Plan != plan:
		return ErrOtherPlan
	case !now.Before(a.Expires):
		return ErrExpired
	case !a.Used.IsZero():
		return ErrUsed
	}
	return nil
}

// same says whether both are answers of one person to one plan.
func (a Approval) same(b Approval) bool {
	return a.Incident == b.Incident && a.Plan == b.Plan && a.Approver == b.Approver
}

// Check says what is missing from an approval that is to be kept.
func (a Approval) Check() error {
	switch {
	case a.Incident == "" || a.Plan == "" || a.Approver == "":
		return errors.New("an approval needs an incident, a plan and an approver")
	case a.Answer != Approve && a.Answer != Decline && a.Answer != Undo:
		return fmt.Errorf("unknown answer %.80q", a.Answer)
	case a.Approver == ByCode && a.Answer != Decline:
		return errors.New("the code of a message permits to decline alone")
	case a.At.IsZero() || !a.Expires.After(a.At):
		return errors.New("an approval needs a time, and expires after it")
	case len(a.MAC) == 0:
		return errors.New("the approval is not sealed")
	case !a.Used.IsZero():
		return ErrUsed
	}
	return nil
}
