package awscloud

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// analyzerForm is what IAM Access Analyzer calls a kind of document.
type analyzerForm struct {
	policy   types.PolicyType
	validate types.ValidatePolicyResourceType // "": it has only the checks that are for every resource
	public   types.AccessCheckResourceType    // "": the document cannot make anything public
}

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamaccessanalyzer.html
var opinionNeeds = []preflight.Need{
	{Role: settings.Reader, Action: "access-analyzer:ValidatePolicy", Resource: needAny, Why: "a document is written and Access Analyzer has not validated it"},
	{Role: settings.Reader, Action: "access-analyzer:CheckNoPublicAccess", Resource: needAny, Why: "a document is written and nobody looked whether it is public"},
}

// opinion asks IAM Access Analyzer about a document that is to be written. What it holds against the document after and not
// against the one before refuses the write. An opinion that is not given refuses nothing: the account may not have asked for
// one, the guard has judged already, and the service that stores the document judges as well.
func (w *Writer) opinion(ctx context.Context, s *store, at storePlace, e patch.Edit) error {
	if e.After.State != snapshot.Present {
		return nil
	}
	client := accessanalyzer.NewFromConfig(w.reader(at))
	asks := []struct {
		action string
		ask    func(policy.Document) ([]string, error)
	}{{
		"ValidatePolicy", func(d policy.Document) ([]string, error) { return validatePolicy(ctx, client, s.asks, d) },
	}, {
		"CheckNoPublicAccess", func(d policy.Document) ([]string, error) { return checkNoPublicAccess(ctx, client, s.asks, d) },
	}}
	for _, a := range asks {
		against, err := a.ask(e.After.V)
		if err == nil && len(against) > 0 && e.Before.State == snapshot.Present {
			var before []string
			before, err = a.ask(e.Before.V)
			against = opinionBeyond(against, before)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			w.note("%s: access analyzer gave no opinion by %s: %s", e.Document, a.action, opinionError(err))
		case len(against) > 0:
			w.note("%s: access analyzer objects by %s: %s", e.Document, a.action, strings.Join(against, "; "))
			return fmt.Errorf("%w: access analyzer objects by %s: %s", snapshot.ErrUnwritable, a.action, against[0])
		}
	}
	return nil
}

func (w *Writer) note(format string, args ...any) {
	if w.options.Note != nil {
		w.options.Note(fmt.Sprintf(format, args...))
	}
}

// opinionError is why there is no opinion: a code of AWS, whose text is longer than a note.
func opinionError(err error) string {
	if code := awserr.Code(err); code != "" {
		return forPeople(code)
	}
	return forPeople(err.Error())
}

// validatePolicy is the findings that say that the document does not work, or allows too much. Warnings and suggestions are
// matters of style.
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ValidatePolicy.html
func validatePolicy(
	ctx context.Context, client *accessanalyzer.Client, form analyzerForm, d policy.Document,
) ([]string, error) {
	text, err := d.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var out []string
	pages := accessanalyzer.NewValidatePolicyPaginator(client, &accessanalyzer.ValidatePolicyInput{
		PolicyDocument: aws.String(string(text)), PolicyType: form.policy, ValidatePolicyResourceType: form.validate,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range page.Findings {
			switch f.FindingType {
			case types.ValidatePolicyFindingTypeError, types.ValidatePolicyFindingTypeSecurityWarning:
				out = append(out, forPeople(aws.ToString(f.IssueCode)+": "+aws.ToString(f.FindingDetails)))
			default:
			}
		}
	}
	return out, nil
}

// checkNoPublicAccess is why the document makes something public.
// https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CheckNoPublicAccess.html
func checkNoPublicAccess(
	ctx context.Context, client *accessanalyzer.Client, form analyzerForm, d policy.Document,
) ([]string, error) {
	if form.public == "" {
		return nil, nil
	}
	text, err := d.MarshalJSON()
	if err != nil {
		return nil, err
	}
	answer, err := client.CheckNoPublicAccess(ctx, &accessanalyzer.CheckNoPublicAccessInput{
		PolicyDocument: aws.String(string(text)), ResourceType: form.public,
	})
	if err != nil || answer.Result != types.CheckNoPublicAccessResultFail {
		return nil, err
	}
	out := []string{forPeople(aws.ToString(answer.Message))}
	for _, r := range answer.Reasons {
		at := "statement " + aws.ToString(r.StatementId)
		if r.StatementId == nil {
			at = fmt.Sprintf("statement #%d", aws.ToInt32(r.StatementIndex)+1)
		}
		out = append(out, forPeople(at+": "+aws.ToString(r.Description)))
	}
	return out, nil
}

// opinionBeyond is what stands in a list more often than in another one.
func opinionBeyond(list, known []string) []string {
	left := map[string]int{}
	for _, k := range known {
		left[k]++
	}
	var out []string
	for _, l := range list {
		if left[l]--; left[l] < 0 {
			out = append(out, l)
		}
	}
	return out
}

// forPeople is a text that somebody else wrote as people can be shown it.
func forPeople(s string) string {
	const most = 300
	s = strings.Map(func(r rune) rune {
		if !jsontree.Visible(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
