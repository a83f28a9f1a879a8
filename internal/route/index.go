package route

import (
	"maps"
	"slices"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// index is what a snapshot says beside its policies, so that a patched world shares it: who has which alias, which samples
// belong to which bucket, and which rules select them. Each part is made when it is first asked for.
type index struct {
	keys    map[alias]policy.ARN // zero: an alias of several keys, which settles nothing
	objects map[string][]*snapshot.Object
	rules   map[string]*Rules
	order   []*Rules // by name
	routes  []Route
}

// alias is the name of a key where it holds.
type alias struct{ account, region, name string }

func (w *World) look() *index {
	if w.index == nil {
		w.index = new(index)
	}
	return w.index
}

// aliases is the keys by alias. An alias means one key; a snapshot that says otherwise settles nothing.
func (x *index) aliases(s *snapshot.Snapshot) map[alias]policy.ARN {
	if x.keys != nil {
		return x.keys
	}
	x.keys = make(map[alias]policy.ARN)
	for arn, key := range s.Keys {
		for _, name := range key.V.Aliases.V {
			at := alias{arn.Account, arn.Region, name}
			if other, taken := x.keys[at]; taken && other != arn {
				x.keys[at] = policy.ARN{}
			} else {
				x.keys[at] = arn
			}
		}
	}
	return x.keys
}

// Routes is every enabled rule of every bucket, in the order of bucket names and rules.
func (w *World) Routes() []Route {
	w.allRules()
	return w.index.routes
}

// Rules is the rules of a source bucket, nil for a bucket without a known configuration.
func (w *World) Rules(source string) *Rules { return w.allRules()[source] }

// AllRules is the rules of every bucket with a known configuration, in the order of their names.
func (w *World) AllRules() []*Rules {
	w.allRules()
	return w.index.order
}

func (w *World) allRules() map[string]*Rules {
	x, s := w.look(), w.Snapshot
	if x.rules != nil {
		return x.rules
	}
	x.rules = make(map[string]*Rules)
	if len(s.Objects) > 0 {
		x.objects = make(map[string][]*snapshot.Object)
		for i := range s.Objects {
			o := &s.Objects[i]
			x.objects[o.Bucket] = append(x.objects[o.Bucket], o)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Buckets)) {
		bucket, ok := s.Buckets[name].Get()
		if !ok {
			continue
		}
		config, ok := bucket.Replication.Get()
		if !ok {
			continue
		}
		var enabled, disabled []Route
		for i := range config.Rules {
			r := w.newRoute(name, &bucket, config.Role, config.Rules[i], i)
			if r.Rule.Status == "Enabled" {
				enabled = append(enabled, r)
			} else {
				disabled = append(disabled, r)
			}
		}
		rules := newRules(name, enabled, disabled, x.objects[name])
		x.rules[name], x.order = rules, append(x.order, rules)
		x.routes = append(x.routes, enabled...)
	}
	return x.rules
}
