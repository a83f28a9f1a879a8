package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// Trails is the trails that CloudTrail shows in one Region of an account, those of other Regions and of the organization included.
type Trails struct {
	Account, Region string
	List            []Trail
	Code            string // of the error of AWS; the list is not known then
}

// Trail is one trail.
type Trail struct {
	ARN          string
	HomeRegion   string
	MultiRegion  bool
	Organization bool
	GlobalEvents bool // whether it records services without a Region, such as IAM
	Logging      snapshot.Value[bool]
	Selectors    snapshot.Value[[]Selector] // a trail without any records every management event
	Code         string                     // of the error that left Logging or Selectors missing
}

// Selector is one event selector of either kind: an advanced one has Fields, and a basic one has the rest.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html
type Selector struct {
	Management bool
	ReadWrite  string   // All, ReadOnly or WriteOnly
	Exclude    []string // the event sources that it leaves out
	Fields     []Field
}

// Field is one condition of an advanced selector: one of what it names must fit, and none of what it excludes.
type Field struct {
	Name                                  string
	Equals, StartsWith, EndsWith          []string
	NotEquals, NotStartsWith, NotEndsWith []string
}

// Place is a Region of an account.
type Place struct{ Account, Region string }

// Watched is where trails are to be looked at: every Region of the approved routes and members, and the one that has the events of
// IAM.
func Watched(set *settings.Settings) []Place {
	c := &checker{f: Facts{Settings: set}, accounts: map[string]*account{}}
	c.collect()
	var out []Place
	for _, a := range c.each() {
		for _, region := range a.watched() {
			out = append(out, Place{a.id, region})
		}
	}
	return out
}

func (a *account) watched() []string {
	out := a.regions
	if region := globalRegion(a.partition); region != "" {
		out = add(slices.Clone(out), region)
	}
	slices.Sort(out)
	return out
}

// globalRegion is where CloudTrail records IAM.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
func globalRegion(partition string) string {
	return map[string]string{"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}[partition]
}

// what Replimend watches for changes: the event sources, and what is blind without them.
var watchedSources = [...]struct{ source, of string }{
	{"s3.amazonaws.com", "bucket policies and replication rules"},
	{"kms.amazonaws.com", "keys and their policies"},
	{"iam.amazonaws.com", "roles and their policies"},
}

// trails finds Regions whose changes Replimend does not hear of: EventBridge gets the calls that a trail records.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
func (c *checker) trails() {
	for _, a := range c.each() {
		for _, region := range a.watched() {
			i := slices.IndexFunc(c.f.Trails, func(t Trails) bool { return t.Account == a.id && t.Region == region })
			where := "trails in " + region
			switch {
			case i < 0:
				c.missing(Limits, a.id, where, "let whoever runs preflight call cloudtrail:DescribeTrails",
					"whether changes are recorded in %s is not known: nobody asked", region)
			case c.f.Trails[i].Code != "":
				c.missing(Limits, a.id, where, "let whoever runs preflight call cloudtrail:DescribeTrails",
					"whether changes are recorded in %s is not known: %s", region, c.f.Trails[i].Code)
			default:
				c.region(a, region, where, c.f.Trails[i].List)
			}
		}
	}
}

func (c *checker) region(a *account, region, where string, all []Trail) {
	var reach, logging []Trail
	unsure := false
	for _, t := range all {
		if !t.MultiRegion && t.HomeRegion != region {
			continue
		}
		reach = append(reach, t)
		on, known := t.Logging.Get()
		unsure = unsure || !known
		if on {
			logging = append(logging, t)
		}
	}
	blind := "Replimend does not hear of changes in " + region + " before objects fail"
	at := func(t Trail) string { return " --name " + t.ARN + " --region " + t.HomeRegion }
	switch {
	case len(reach) == 0 && len(all) > 0:
		c.missing(Limits, a.id, where, "aws cloudtrail update-trail"+at(all[0])+" --is-multi-region-trail",
			"no trail reaches %s: %s is of %s alone. %s", region, all[0].ARN, all[0].HomeRegion, blind)
		return
	case len(reach) == 0:
		fresh := " --name management-events --region " + region
		c.missing(Limits, a.id, where,
			"aws cloudtrail create-trail"+fresh+" --is-multi-region-trail --s3-bucket-name BUCKET\naws cloudtrail start-logging"+fresh,
			"no trail records %s: %s", region, blind)
		return
	case len(logging) == 0 && unsure:
		t := reach[slices.IndexFunc(reach, func(t Trail) bool { return t.Logging.State != snapshot.Present })]
		c.missing(Limits, a.id, t.ARN, "let whoever runs preflight call cloudtrail:GetTrailStatus",
			"whether the trail is logging in %s is not known: %s", region, cause(t.Code))
		return
	case len(logging) == 0:
		c.missing(Limits, a.id, reach[0].ARN, "aws cloudtrail start-logging"+at(reach[0]), "the trail is not logging: %s", blind)
		return
	}
	c.sources(a, region, logging)
}

// sources looks for trails that record the writes of the services that Replimend watches, and tells once of those that are missed for
// the same reasons.
func (c *checker) sources(a *account, region string, logging []Trail) {
	type blindness struct {
		text    string // the reasons
		known   bool
		of      []string
		sources []string
	}
	var found []*blindness
	for _, w := range watchedSources {
		if w.source == "iam.amazonaws.com" && region != globalRegion(a.partition) {
			continue
		}
		b, blind := blindness{known: true, of: []string{w.of}, sources: []string{w.source}}, true
		var reasons []string
		for _, t := range logging {
			yes, known, reason := t.records(w.source)
			blind = blind && !(yes && known)
			b.known = b.known && known
			reasons = append(reasons, t.ARN+" "+reason)
		}
		b.text = strings.Join(reasons, "; ")
		i := slices.IndexFunc(found, func(o *blindness) bool { return o.text == b.text && o.known == b.known })
		switch {
		case !blind:
		case i < 0:
			found = append(found, &b)
		default:
			found[i].of, found[i].sources = append(found[i].of, w.of), append(found[i].sources, w.source)
		}
	}
	first := logging[0]
	owner := ""
	if of := accountOf(first.ARN); first.Organization && of != a.id {
		owner = " The trail belongs to account " + of + "."
	}
	look := "aws cloudtrail get-event-selectors --trail-name " + first.ARN + " --region " + first.HomeRegion
	for _, b := range found {
		of := strings.Join(b.of, ", of ")
		if !b.known {
			c.missing(Limits, a.id, first.ARN, look, "whether a trail records changes of %s in %s is not known: %s", of,
				region, b.text)
			continue
		}
		c.missing(Limits, a.id, first.ARN, fmt.Sprintf(
			"let the event selectors of a trail take the writes of %s.%s put-event-selectors replaces all of them: read them first\n%s",
			strings.Join(b.sources, ", "), owner, look), "no trail records changes of %s in %s: %s", of, region, b.text)
	}
}

func cause(code string) string {
	if code == "" {
		return "nobody asked"
	}
	return code
}

// records says whether the trail records management events that write, of one service, and whether that is known; and if not, why.
func (t Trail) records(source string) (yes, known bool, reason string) {
	if source == "iam.amazonaws.com" && !t.GlobalEvents {
		return false, true, "leaves out the events of global services"
	}
	if t.Selectors.State == snapshot.Missing {
		return false, false, "may have selectors: " + cause(t.Code)
	}
	if len(t.Selectors.V) == 0 {
		return true, true, ""
	}
	known = true
	reason = "has no selector for management events"
	for _, s := range t.Selectors.V {
		switch yes, sure, why := s.records(source); {
		case yes && sure:
			return true, true, ""
		case !sure:
			known, reason = false, why
		case why != "" && known:
			reason = why
		}
	}
	return false, known, reason
}

// records says whether the selector takes management events that write, of one service. It is not sure where it also selects by what
// differs from call to call.
func (s Selector) records(source string) (yes, sure bool, reason string) {
	if len(s.Fields) == 0 {
		switch {
		case !s.Management:
			return false, true, ""
		case s.ReadWrite == "ReadOnly":
			return false, true, "records reads only"
		case slices.Contains(s.Exclude, source):
			return false, true, "excludes " + source
		}
		return true, true, ""
	}
	event := map[string]string{"eventCategory": "Management", "readOnly": "false", "eventSource": source}
	sure = true
	for _, f := range s.Fields {
		value, given := event[f.Name]
		switch {
		case !given:
			sure, reason = false, "selects by "+f.Name+", which differs from call to call"
		case f.fits(value):
		case f.Name == "eventCategory":
			return false, true, ""
		case f.Name == "readOnly":
			return false, true, "records reads only"
		default:
			return false, true, "excludes " + source
		}
	}
	return sure, sure, reason
}

func (f Field) fits(value string) bool {
	is := func(s string) bool { return s == value }
	starts := func(s string) bool { return strings.HasPrefix(value, s) }
	ends := func(s string) bool { return strings.HasSuffix(value, s) }
	named := len(f.Equals)+len(f.StartsWith)+len(f.EndsWith) > 0
	return (!named || slices.ContainsFunc(f.Equals, is) || slices.ContainsFunc(f.StartsWith, starts) ||
		slices.ContainsFunc(f.EndsWith, ends)) &&
		!slices.ContainsFunc(f.NotEquals, is) && !slices.ContainsFunc(f.NotStartsWith, starts) &&
		!slices.ContainsFunc(f.NotEndsWith, ends)
}
