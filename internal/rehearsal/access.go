package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/route"
)

var errNoAccess = errors.New("no access was looked at")

// as lets a principal read or write, and holds what S3 answers against the script.
func as(_ context.Context, st *stage, args []string) error {
	principal, operation, bucket, key := args[0], route.Operation(args[1]), args[2], args[3]
	inParts := len(args) == 6 && args[4] == "in-parts"
	if len(args) == 6 && !inParts {
		return fmt.Errorf("unknown word %q", args[4])
	}
	var err error
	switch operation {
	case route.Get:
		err = st.cloud.Get(principal, bucket, key)
	case route.Put:
		_, err = st.cloud.PutAs(principal, bucket, key, inParts)
	default:
		return fmt.Errorf("want get or put")
	}
	var refused *lab.Error
	got := "allowed"
	if errors.As(err, &refused) {
		got = "denied"
	}
	text := fmt.Sprintf("%s of %s in %s by %s is %s", operation, key, bucket, principal, got)
	if refused != nil {
		text += ": " + refused.Code
	}
	st.tell(Step{Title: "access", Text: text})
	if want := args[len(args)-1]; got != want {
		return fmt.Errorf("it is %s (%w)", got, err)
	}
	return nil
}

// lookAccess diagnoses the access as it is now. The object that is named is the sample.
func lookAccess(ctx context.Context, st *stage, args []string) error {
	operation, err := route.ParseOperation(args[1])
	if err != nil {
		return err
	}
	s, err := st.seen(ctx, st.bucket)
	if err != nil {
		return err
	}
	key := args[3]
	if key == "-" {
		key = ""
	}
	if o, err := st.latest(args[2], key); err == nil && operation == route.Get {
		s.Objects = append(s.Objects, o)
	}
	a, err := route.NewAccess(s, args[0], args[2], operation, key)
	if err != nil {
		return err
	}
	d := diagnose.DiagnoseAccess(s, a)
	st.access = &d
	st.tell(Step{Title: "diagnosis", Access: &d})
	if d.Plan != nil {
		st.tell(Step{Title: "plan", Plan: d.Plan})
	}
	if string(d.Verdict) != args[4] {
		return fmt.Errorf("the verdict is %s", d.Verdict)
	}
	return nil
}

// accessCause wants a finding of the access, whatever its severity.
func accessCause(_ context.Context, st *stage, args []string) error {
	if st.access == nil {
		return errNoAccess
	}
	var there []string
	for _, f := range st.access.Findings {
		there = append(there, fmt.Sprintf("%s/%s/%s", f.Cause, f.Side, f.Document.Kind))
	}
	if !slices.Contains(there, fmt.Sprintf("%s/%s/%s", args[0], args[1], args[2])) {
		return fmt.Errorf("the findings are %v", there)
	}
	return nil
}

// applyAccess writes the plan of the access, as the owners of the documents would; "none" wants that there is no plan.
func applyAccess(ctx context.Context, st *stage, args []string) error {
	if st.access == nil {
		return errNoAccess
	}
	got := []string{"none"}
	if st.access.Plan != nil {
		got = nil
		for _, e := range st.access.Plan.Edits {
			got = append(got, string(e.Document.Kind))
			if err := st.cloud.Put(ctx, e.Document, e.Before, e.After); err != nil {
				return err
			}
			st.tell(Step{Title: "patch", Text: fmt.Sprintf("account %s agrees and writes %s", e.Account, e.Document)})
		}
	}
	if !slices.Equal(got, args) {
		return fmt.Errorf("the plan edits %v", got)
	}
	return nil
}
