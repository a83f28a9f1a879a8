package guard

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// centralOwner: what AWS Control Tower or a StackSet puts into an account belongs to those who run the organization. They set it
// back, and an edit of it is a hole in what they enforce. Names are asked first: a tag can be taken off.
//
// Roles and buckets of Control Tower: https://docs.aws.amazon.com/controltower/latest/controlreference/mandatory-controls.html
// and https://docs.aws.amazon.com/controltower/latest/userguide/roles-how.html
// Roles of StackSets: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-custom-execution-role.html and
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-prereqs-self-managed.html
// Stacks of StackSets: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/describe-stack-instance.html
var centralOwner = Rule{
	Name:    "central-owner",
	Summary: "what AWS Control Tower or a StackSet owns is not edited",
	judge: func(q *inquiry) []objection {
		var out []objection
		for _, e := range q.plan.Edits {
			name, tags := q.labels(e)
			switch {
			case centralName(name):
				out = append(out, refuse("%s belongs to AWS Control Tower or to a StackSet by its name", e.Document))
			case tags.V["aws-control-tower"] == "managed-by-control-tower":
				out = append(out, refuse("%s is tagged as managed by AWS Control Tower", e.Document))
			case strings.HasPrefix(stackOf(tags.V), "StackSet-"):
				out = append(out, refuse("%s belongs to stack %s, which a StackSet deployed", e.Document, stackOf(tags.V)))
			case tags.State == snapshot.Missing && q.isOurs(e):
				out = append(out, ask("the tags of the owner of %s are not known: a StackSet may own it", e.Document))
			}
		}
		return out
	},
}

// isOurs says whether an edit is of a document of the route; of others nobody asks for tags.
func (q *inquiry) isOurs(e patch.Edit) bool {
	_, ok := q.owner(e)
	return ok
}

// centralNames is how names of roles and buckets start that Control Tower and StackSets give.
var centralNames = []string{"AWSControlTower", "aws-controltower-", "stacksets-exec-", "AWSCloudFormationStackSet"}

func centralName(name string) bool {
	return slices.ContainsFunc(centralNames, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// labels is the name and the tags of what an edit's document belongs to.
func (q *inquiry) labels(e patch.Edit) (string, snapshot.Value[map[string]string]) {
	arn, _ := q.subjectOf(e)
	switch e.Document.Kind {
	case snapshot.RolePolicy, snapshot.RoleTrust:
		return arn.Name(), q.snapshot.Roles[arn].V.Tags
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy:
		return arn.Name(), q.snapshot.Keys[arn].V.Tags
	default:
		return e.Document.ID, q.snapshot.Buckets[e.Document.ID].V.Tags
	}
}

// stackOf is the name of the CloudFormation stack that owns something, by the tags that CloudFormation puts on and lets nobody
// change; "" without one.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
func stackOf(tags map[string]string) string {
	if name := tags["aws:cloudformation:stack-name"]; name != "" {
		return name
	}
	_, rest, _ := strings.Cut(tags["aws:cloudformation:stack-id"], ":stack/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}
