package guard

import "github.com/replimend/replimend/internal/snapshot"

// stackOwner: a stack writes the whole policy of its buckets and keys again when it is deployed with a change of it, and an edit
// that is not in the template is gone then. A person decides whether to edit the template instead. An inline policy under a name
// of its own is no part of a template, so that it stays. Other tools leave no mark by which they could be told.
// A route can waive the question, and then the verdict says so.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
var stackOwner = Rule{
	Name:    "stack-owner",
	Summary: "a person is asked before a document is edited that a CloudFormation stack may write again",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			_, tags := q.labels(e)
			if stack := stackOf(tags.V); stack != "" && e.Document.Kind != snapshot.RolePolicy {
				out = append(out, ask("%s belongs to CloudFormation stack %s, whose next deployment may take the edit out again: edit its template, too", e.Document, stack))
			}
		}
		return q.unless(q.approved != nil && q.approved.Allow.StackDrift, "stackDrift", out)
	},
}
