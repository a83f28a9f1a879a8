package patch

import (
	"cmp"
	"slices"

	"github.com/replimend/replimend/internal/snapshot"
)

// Cost is what a way to cure a route takes, the gravest first.
type Cost struct {
	// Accounts is how many owners must act besides the role's own: each is a border that the cure crosses.
	Accounts int `json:"accounts"`
	// Documents is how many documents are written.
	Documents int `json:"documents"`
	// Shared is how many of them the access of others hangs on, too: all but the inline policy of the role or user itself.
	Shared int `json:"shared"`
	// Adds is how many permissions are added: tuples of principal, action and resource.
	Adds int `json:"adds"`
}

// Compare is negative when c costs less than o: fewer borders, then fewer documents, then fewer that others depend on, then
// fewer permissions.
func (c Cost) Compare(o Cost) int {
	return cmp.Or(cmp.Compare(c.Accounts, o.Accounts), cmp.Compare(c.Documents, o.Documents), cmp.Compare(c.Shared, o.Shared), cmp.Compare(c.Adds, o.Adds))
}

// Alternative is another way to the same cure that was weighed and not taken.
type Alternative struct {
	Documents []snapshot.Ref `json:"documents"` // that would be written, in that order
	Cost      Cost           `json:"cost"`
	Why       string         `json:"why"` // why it was not taken
}

// Half is what one account's owner has to change.
type Half struct {
	Account   string         `json:"account"` // empty when the snapshot does not say whose the documents are
	Documents []snapshot.Ref `json:"documents"`
}

// Halves is the plan by owner, in the order of the edits. Each owner's documents can be written with that owner's credentials
// alone: kms:PutKeyPolicy does not work from another account at all.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
func (p Plan) Halves() []Half {
	var out []Half
	for _, e := range p.Edits {
		i := slices.IndexFunc(out, func(h Half) bool { return h.Account == e.Account })
		if i < 0 {
			out = append(out, Half{Account: e.Account})
			i = len(out) - 1
		}
		out[i].Documents = append(out[i].Documents, e.Document)
	}
	return out
}

// Rank is the place of a document in the order in which a plan is written, the lowest first.
//
// Every edit adds an Allow, so that no stop in between takes anything away from anybody. What remains is to stop early and to
// open late. The documents that are most likely to be refused, those of other accounts and those with a lockout check, come
// first: a refusal then leaves nothing else behind. The role's own policy comes behind the resources', and its trust last: until
// they are written, S3 cannot use what the others grant across accounts. Undoing goes the other way round, and closes first.
func Rank(k snapshot.Kind) int {
	return slices.Index([]snapshot.Kind{
		snapshot.ReplicaKeyPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.SourceBucketPolicy, snapshot.KeyPolicy, snapshot.BucketPolicy,
		snapshot.RolePolicy, snapshot.UserPolicy, snapshot.RoleTrust,
	}, k)
}
