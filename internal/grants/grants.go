// Package grants says which role of Replimend may do what: IAM documents, made from the settings and from what each part of the code
// declares that it needs. Package infra deploys them.
//
// It grants nothing that no part needs, and nothing of a route that nobody approved but reading. It decides nothing at run time: that
// is package guard's, with the same settings.
package grants

import (
	"time"

	"github.com/replimend/replimend/internal/policy"
)

// Role is one role as it is deployed.
type Role struct {
	Name        string // "replimend-reader"
	Path        string // settings.RolePath
	Description string
	Trust       policy.Document
	Policies    []Policy // inline
	// Managed is what does not fit inline: customer managed policies under the same path, to be attached to the role.
	Managed    []Policy
	MaxSession time.Duration
}

// Policy is one policy with its name.
type Policy struct {
	Name     string
	Document policy.Document
}

// Need is what one function of the hub must be allowed.
type Need struct {
	Function Function
	Actions  []string
	// Resources is ARNs, in which a star stands for any characters, or * for actions that know no resource.
	Resources  []string
	Conditions []policy.Condition
	Why        string // what becomes of it without the actions
}
