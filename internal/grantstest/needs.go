package grantstest

import (
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/preflight"
)

// MemberNeeds is what the code needs of the roles of members.
func MemberNeeds() []preflight.Need { return deployed.MemberNeeds() }

// HubNeeds is what the code needs in the hub.
func HubNeeds(h grants.HubNames) []grants.Need { return deployed.Needs(h) }
