package settings

import (
	"slices"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// ParseToDeploy reads the file as Parse does and wants it to be one that can be deployed: it says where the hub is, and every approved
// route leads between members, each in a Region that the member has. A file with a secret in it, be it in a comment, is refused.
func ParseToDeploy(data []byte) (*Settings, error) {
	return parse(data, (*reader).deployable)
}

// deployable reports what the deployment could not do with the settings.
func (r *reader) deployable(s *Settings, n jsontree.Node) {
	if !n.Get("hub").Present() {
		r.fault(n, "", "hub is missing: nothing says where Replimend is to run")
	}
	if len(s.Members) == 0 {
		r.fault(n, "", "members is missing: no account has Replimend's roles, and none would send it events")
	}
	r.onePartition(s, n)
	for i, a := range s.Routes {
		at, path := n.Get("routes"), jsontree.Index("routes", i)
		if i >= len(at.Items) {
			return
		}
		r.enrolled(s, a.Source, at.Items[i].Get("source"), path+".source")
		r.enrolled(s, a.Destination, at.Items[i].Get("destination"), path+".destination")
	}
}

// enrolled reports a bucket whose account or Region Replimend does not reach.
func (r *reader) enrolled(s *Settings, b Bucket, n jsontree.Node, path string) {
	if b.Account == "" {
		return // it has a fault of its own
	}
	m, ok := s.Member(b.Account)
	switch {
	case !ok:
		r.fault(n.Get("account"), path+".account", "account %s is not one of members", b.Account)
	case b.Region != "" && !slices.Contains(m.Regions, b.Region):
		r.fault(n.Get("region"), path+".region", "member %s does not list the Region %s", b.Account, clip(b.Region))
	}
}

// onePartition reports members that are in another partition than the hub: no role of one can be assumed from another.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func (r *reader) onePartition(s *Settings, n jsontree.Node) {
	if s.Hub.Region == "" {
		return
	}
	for i, m := range s.Members {
		for k, region := range m.Regions {
			if region != "" && policy.Partition(region) != policy.Partition(s.Hub.Region) {
				r.fault(n.Get("members").Items[i].Get("regions").Items[k], jsontree.Index(jsontree.Index("members", i)+".regions", k),
					"%s is in another partition than the hub, and nothing leads from one to another", clip(region))
			}
		}
	}
}
