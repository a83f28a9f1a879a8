package grantstest

import (
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// MemberNeeds is what the code needs of the roles of members.
func MemberNeeds() []preflight.Need { return deployed.MemberNeeds() }

// HubNeeds is what the code needs in the hub of the settings.
func HubNeeds(set *settings.Settings) []grants.Need {
	return deployed.Needs(grants.NamesOf(set), set.Chat.Targets)
}
