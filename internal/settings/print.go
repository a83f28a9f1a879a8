package settings

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/replimend/replimend/internal/policy"
)

// YAML is the file that Parse reads back to the same settings. Texts are in quotes, so that an account id stays a text and
// nothing in a name can end it; what has its default is left out, the mode excepted.
func (s *Settings) YAML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: %d\n", Version)
	if len(s.Routes) == 0 {
		b.WriteString("routes: []\n")
	} else {
		b.WriteString("routes:\n")
	}
	for _, r := range s.Routes {
		b.WriteString(r.YAML())
	}
	texts := func(name string, values []string) {
		if len(values) > 0 {
			fmt.Fprintf(&b, "%s:\n", name)
		}
		for _, v := range values {
			fmt.Fprintf(&b, "  - %s\n", quote(v))
		}
	}
	texts("accounts", s.Accounts)
	texts("protected", arnTexts(s.Protected))
	texts("self", arnTexts(s.Self))
	if len(s.Members) > 0 {
		b.WriteString("members:\n")
	}
	for _, m := range s.Members {
		fmt.Fprintf(&b, "  - account: %s\n    regions: [%s]\n", quote(m.Account), strings.Join(m.Regions, ", "))
		if m.ExternalID != "" {
			fmt.Fprintf(&b, "    externalId: %s\n", quote(m.ExternalID))
		}
	}
	b.WriteString(s.Hub.yaml())
	if s.Organization != "" {
		fmt.Fprintf(&b, "organization: %s\n", s.Organization)
	}
	if s.ManagementAccount != "" {
		fmt.Fprintf(&b, "managementAccount: %s\n", quote(s.ManagementAccount))
	}
	b.WriteString(s.Approvals.yaml())
	b.WriteString(s.Chat.yaml())
	d, l := DefaultLimits(), s.Limits
	if l == d {
		return b.String()
	}
	b.WriteString("limits:\n")
	for _, v := range []struct {
		name       string
		value, def int
	}{
		{"patchesPerRoutePerHour", l.PatchesPerRoutePerHour, d.PatchesPerRoutePerHour},
		{"patchesPerAccountPerHour", l.PatchesPerAccountPerHour, d.PatchesPerAccountPerHour},
		{"failedCuresBeforeOpen", l.FailedCuresBeforeOpen, d.FailedCuresBeforeOpen},
		{"removalsBeforeOpen", l.RemovalsBeforeOpen, d.RemovalsBeforeOpen},
		{"incidentHours", l.IncidentHours, d.IncidentHours},
	} {
		if v.value != v.def {
			fmt.Fprintf(&b, "  %s: %d\n", v.name, v.value)
		}
	}
	return b.String()
}

// yaml is the member with its name; "" without one.
func (h Hub) yaml() string {
	if h == (Hub{}) {
		return ""
	}
	text := fmt.Sprintf("hub:\n  account: %s\n  region: %s\n", quote(h.Account), h.Region)
	if h.LogDays != 0 {
		text += fmt.Sprintf("  logDays: %d\n", h.LogDays)
	}
	if !h.AlarmTopic.IsZero() {
		text += fmt.Sprintf("  alarmTopic: %s\n", quote(h.AlarmTopic.String()))
	}
	return text
}

// yaml is the member with its name; "" where nothing is set.
func (a Approvals) yaml() string {
	var b strings.Builder
	for _, list := range []struct {
		name string
		arns []policy.ARN
	}{{"approvers", a.Approvers}, {"namedSessions", a.NamedSessions}} {
		if len(list.arns) > 0 {
			fmt.Fprintf(&b, "  %s:\n", list.name)
		}
		for _, arn := range list.arns {
			fmt.Fprintf(&b, "    - %s\n", quote(arn.String()))
		}
	}
	if a.Hours != 0 {
		fmt.Fprintf(&b, "  hours: %d\n", a.Hours)
	}
	if a.TwoForKeyPolicies {
		b.WriteString("  twoForKeyPolicies: true\n")
	}
	b.WriteString(a.identitiesYAML())
	if b.Len() == 0 {
		return ""
	}
	return "approvals:\n" + b.String()
}

// YAML is the route as an item of the routes of a file.
func (a ApprovedRoute) YAML() string {
	var b strings.Builder
	line := func(indent int, name string, value any) { fmt.Fprintf(&b, "%*s%s: %v\n", indent, "", name, value) }
	head := func(indent int, name string) { fmt.Fprintf(&b, "%*s%s:\n", indent, "", name) }
	b.WriteString("  - name: " + a.Name + "\n")
	line(4, "mode", a.Mode)
	for _, side := range []struct {
		name string
		Bucket
	}{{"source", a.Source}, {"destination", a.Destination}} {
		line(4, side.name, fmt.Sprintf("{bucket: %s, account: %s, region: %s}", scalar(side.Bucket.Bucket), quote(side.Account), side.Region))
	}
	head(4, "rule")
	line(6, "id", quote(a.Rule.ID))
	if a.Rule.Prefix != "" {
		line(6, "prefix", quote(a.Rule.Prefix))
	}
	if len(a.Rule.Tags) > 0 {
		head(6, "tags")
		for _, k := range slices.Sorted(maps.Keys(a.Rule.Tags)) {
			line(8, quote(k), quote(a.Rule.Tags[k]))
		}
	}
	line(6, "deleteMarkers", a.Rule.DeleteMarkers)
	line(6, "ownerOverride", a.Rule.OwnerOverride)
	if v := a.Rule.KMSObjects; v != nil {
		line(6, "kmsObjects", *v)
	}
	if v := a.Rule.ReplicaModifications; v != nil {
		line(6, "replicaModifications", *v)
	}
	head(4, "role")
	line(6, "arn", scalar(a.Role.ARN.String()))
	line(6, "uniqueId", a.Role.UniqueID)
	head(6, "trust")
	for _, who := range a.Role.Trust {
		fmt.Fprintf(&b, "        - %s\n", scalar(who))
	}
	if len(a.SourceKeys) > 0 {
		head(4, "sourceKeys")
		for _, key := range a.SourceKeys {
			fmt.Fprintf(&b, "      - %s\n", scalar(key.String()))
		}
	}
	if !a.ReplicaKey.IsZero() {
		line(4, "replicaKey", scalar(a.ReplicaKey.String()))
	}
	if a.Allow != (Allow{}) {
		head(4, "allow")
	}
	for _, v := range []struct {
		name string
		on   bool
	}{{"roleTrust", a.Allow.RoleTrust}, {"noBoundary", a.Allow.NoBoundary}, {"stackDrift", a.Allow.StackDrift}, {"canary", a.Allow.Canary}} {
		if v.on {
			line(6, v.name, true)
		}
	}
	if len(a.Labels) > 0 {
		line(4, "labels", "["+strings.Join(a.Labels, ", ")+"]")
	}
	return b.String()
}

func arnTexts(arns []policy.ARN) []string {
	out := make([]string, len(arns))
	for i, a := range arns {
		out[i] = a.String()
	}
	return out
}

// plain is a text that no reader of YAML takes for anything but a text. Functions only read.
var plain = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z]+[:.-][A-Za-z0-9:./-]*[A-Za-z0-9]$`) })

// scalar leaves ARNs, service principals and most bucket names without quotes.
func scalar(s string) string {
	if plain().MatchString(s) {
		return s
	}
	return quote(s)
}

// quote writes a text as JSON does; YAML reads it alike.
func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""` // strings always print
	}
	return string(text)
}
