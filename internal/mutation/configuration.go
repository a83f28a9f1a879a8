package mutation

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// configurationMutants is every mutant of what is not a policy. What each must be diagnosed as stands beside it.
func configurationMutants(w *world) []mutant {
	var out []mutant
	for _, r := range w.routes {
		if r.Of.Rule.ID == "" && r.Of.RuleID == "" {
			continue // what the diagnosis says of no route
		}
		at := ruleAt(w, r.Of)
		out = append(out, selectionMutants(w, at, r.Of)...)
		if !w.shadowed(r.Of) {
			out = append(out, ruleMutants(w, at, r.Of)...)
		}
	}
	seen := map[string]bool{}
	for _, r := range w.routes {
		for _, atSource := range []bool{true, false} {
			name := r.Destination
			if atSource {
				name = r.Source
			}
			if !seen[name] {
				seen[name] = true
				out = append(out, bucketMutants(w, r.Of, name, atSource)...)
			}
		}
	}
	return append(out, keyMutants(w)...)
}

// configured is a mutant of the configuration.
func configured(class, text string, e *expectation, change func(tree)) mutant {
	return mutant{class: class, text: text, parts: []part{{place: nowhere}}, expect: e, change: []func(tree){change}}
}

func expected(verdict diagnose.Verdict, cause string, kind snapshot.Kind, id string, side diagnose.Side) *expectation {
	severity := diagnose.Fault
	if verdict != diagnose.Broken {
		severity = diagnose.Warning
	}
	return &expectation{verdict: verdict, blames: []blame{{ref: snapshot.Ref{Kind: kind, ID: id}, side: side, causes: []string{cause}, severity: severity}}}
}

// nothing is the expectation of a change that must not be noticed.
func nothing() *expectation { return &expectation{verdict: diagnose.Healthy} }

// population says what the route replicates.
func (w *world) population(kind func(route.Population) bool) bool {
	s, err := w.mutated()
	if err != nil {
		return false
	}
	of := route.NewWorld(s)
	for _, r := range w.routes {
		for _, p := range of.Judged(&r.Of, "") {
			if kind(p) {
				return true
			}
		}
	}
	return false
}

func (w *world) kms() bool { return w.population(func(p route.Population) bool { return p.KMS() }) }

func ruleMutants(w *world, i int, r route.Route) []mutant {
	at := func(t tree) tree { return list(step(t, "buckets", r.Source, "replication", "Rules"))[i].(tree) }
	config := func(v diagnose.Verdict, cause string) *expectation {
		return expected(v, cause, snapshot.ReplicationConfig, r.Source, diagnose.SourceSide)
	}
	roleGone := expected(diagnose.Broken, "role-missing", snapshot.RoleTrust, r.RoleText, diagnose.SourceSide)
	moved := strings.Replace(r.RoleText, ":role/", ":role/elsewhere/", 1)
	roleUnread := expected(diagnose.Unknown, "document-unreadable", snapshot.RoleTrust, moved, diagnose.SourceSide)
	roleUnread.warnings, roleUnread.instead = true, []diagnose.Verdict{diagnose.Broken}
	roleUnread.also = []snapshot.Kind{snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy}
	unseen := config(diagnose.Degraded, "metrics-not-enabled")
	unseen.unseen = true
	out := []mutant{
		configured("metrics off", r.RuleID, unseen, func(t tree) { delete(object(at(t), "Destination"), "Metrics") }),
		configured("no role", r.RoleText, roleGone, func(t tree) { object(t, "roles")[r.RoleText] = nil }),
		configured("the rule's role is no role", "a user", config(diagnose.Broken, "role-missing"), func(t tree) {
			object(t, "buckets", r.Source, "replication")["Role"] = strings.Replace(r.RoleText, ":role/", ":user/", 1)
		}),
		configured("the rule's role is another one", moved, roleUnread, func(t tree) { object(t, "buckets", r.Source, "replication")["Role"] = moved }),
		configured("another account for the destination", stranger, config(diagnose.Broken, "destination-account-mismatch"), func(t tree) {
			object(at(t), "Destination")["Account"] = stranger
		}),
	}
	if !w.kms() {
		return out
	}
	wrongRegion := config(diagnose.Broken, "replica-key-wrong-region")
	wrongRegion.warnings = true
	setKey := func(v any) func(tree) {
		return func(t tree) { object(at(t), "Destination")["EncryptionConfiguration"] = tree{"ReplicaKmsKeyID": v} }
	}
	key := r.ReplicaKey
	key.Region = "ap-south-1"
	unknownKey := config(diagnose.Unknown, "replica-key-unresolved")
	unreadKey := expected(diagnose.Unknown, "document-unreadable", snapshot.ReplicaKeyPolicy, other(r), diagnose.DestinationSide)
	unreadKey.warnings, unreadKey.instead = true, []diagnose.Verdict{diagnose.Broken}
	unreadKey.also = []snapshot.Kind{snapshot.RolePolicy, snapshot.PermissionsBoundary}
	unreadKey.blames = append(unreadKey.blames, blame{
		ref: snapshot.Ref{Kind: snapshot.RolePolicy, ID: r.RoleText}, side: diagnose.SourceSide, causes: []string{"role-lacks-replica-encrypt"},
		severity: diagnose.Fault,
	})
	if w.population(func(p route.Population) bool { return p.DeleteMarker }) { // which needs no key
		unreadKey.blames[1].severity, unreadKey.instead = diagnose.Warning, []diagnose.Verdict{diagnose.Conditional}
	}
	notSelected := config(diagnose.Broken, "kms-objects-not-selected")
	if w.optsInBelow(r) {
		notSelected = config(diagnose.Conditional, "kms-opt-in-outranked")
		notSelected.unseen = true
	}
	return append(
		out,
		configured("KMS objects not selected", r.RuleID, notSelected, func(t tree) { delete(at(t), "SourceSelectionCriteria") }),
		configured("no replica key", r.RuleID, config(diagnose.Broken, "replica-key-not-configured"), func(t tree) {
			delete(object(at(t), "Destination"), "EncryptionConfiguration")
		}),
		configured("replica key of another Region", key.String(), wrongRegion, setKey(key.String())),
		configured("replica key by an unknown alias", "alias/nobody", unknownKey, setKey("alias/nobody")),
		configured("another replica key", other(r), unreadKey, setKey(other(r))),
	)
}

// other is a key beside the replica key.
func other(r route.Route) string {
	k := r.ReplicaKey
	k.Resource = "key/00000000-0000-0000-0000-000000000000"
	return k.String()
}

func bucketMutants(w *world, r route.Route, name string, atSource bool) []mutant {
	side, versioning := diagnose.DestinationSide, "destination-versioning-not-enabled"
	if atSource {
		side, versioning = diagnose.SourceSide, "source-versioning-not-enabled"
	}
	bucket := func(t tree) tree { return object(t, "buckets", name) }
	config := func(v diagnose.Verdict, cause string) *expectation {
		e := expected(v, cause, snapshot.BucketConfig, name, side)
		if other := w.otherSide(name, atSource); other != "" {
			e.blames = append(e.blames, e.blames[0])
			e.blames[1].side = other
		}
		return e
	}
	set := func(class, member string, v any, e *expectation) mutant {
		return configured(class, name, e, func(t tree) { bucket(t)[member] = v })
	}
	drop := func(class, member string, e *expectation) mutant {
		return configured(class, name, e, func(t tree) { delete(bucket(t), member) })
	}
	// Without account or Region more than the value itself cannot be decided.
	unread := func() *expectation {
		e := config(diagnose.Unknown, "configuration-unknown")
		e.warnings = true
		return e
	}
	out := []mutant{
		set("versioning suspended", "versioning", "Suspended", config(diagnose.Broken, versioning)),
		set("versioning never enabled", "versioning", nil, config(diagnose.Broken, versioning)),
		drop("versioning not read", "versioning", unread()),
		drop("owner not read", "account", unread()),
		drop("Region not read", "region", unread()),
	}
	if rule := list(step(w.tree, "buckets", name, "encryption", "Rules")); len(rule) > 0 {
		on, _ := rule[0].(tree)["BucketKeyEnabled"].(bool)
		out = append(out, mutant{
			class: "Bucket Key switched", text: fmt.Sprintf("%s to %v", name, !on), parts: contextParts(w),
			change: []func(tree){func(t tree) { list(step(bucket(t), "encryption", "Rules"))[0].(tree)["BucketKeyEnabled"] = !on }},
		})
		ssec := nothing()
		if !atSource && w.population(func(p route.Population) bool { return p.Encryption == route.SSEC }) {
			ssec = config(diagnose.Broken, "destination-blocks-sse-c")
		}
		out = append(out, configured("SSE-C blocked", name, ssec, func(t tree) {
			list(step(bucket(t), "encryption", "Rules"))[0].(tree)["BlockedEncryptionTypes"] = tree{"EncryptionType": []any{"SSE-C"}}
		}))
	}
	if atSource {
		silent := config(diagnose.Degraded, "failure-notification-missing")
		silent.unseen = true
		return append(out, set("notification off", "notifications", tree{}, silent))
	}
	pays := nothing()
	if r.CrossAccount() {
		pays = config(diagnose.Broken, "destination-requester-pays")
	}
	out = append(
		out,
		set("requester pays", "requestPayer", "Requester", pays),
		configured("no destination bucket", name, config(diagnose.Broken, "destination-bucket-missing"), func(t tree) { object(t, "buckets")[name] = nil }),
	)
	if step(w.tree, "buckets", r.Source, "objectLock") != nil {
		out = append(out, set("Object Lock off", "objectLock", nil, config(diagnose.Broken, "destination-lacks-object-lock")))
	}
	return out
}

// otherSide is the side on which the bucket stands as well, "" where it does not: the two ways of a pair share their buckets.
func (w *world) otherSide(bucket string, atSource bool) diagnose.Side {
	for _, r := range w.routes {
		switch {
		case atSource && r.Destination == bucket:
			return diagnose.DestinationSide
		case !atSource && r.Source == bucket:
			return diagnose.SourceSide
		}
	}
	return ""
}

// contextParts is every document that decides about keys: a Bucket Key makes those miss that test the encryption context, and S3
// perhaps ask for more of all.
func contextParts(w *world) []part {
	var out []part
	for _, d := range documents(w.tree) {
		if d.place != rolePolicy && d.place != keyPolicy {
			continue
		}
		if strings.Contains(fmt.Sprint(step(w.tree, d.path...)), "kms:EncryptionContext:aws:s3:arn") {
			out = append(out, part{d.place, d.id, encContext})
		} else {
			out = append(out, part{d.place, d.id, plain})
		}
	}
	return out
}

// keyMutants is every key that S3 needs, disabled, about to be deleted, of another kind, gone, and not read.
func keyMutants(w *world) []mutant {
	var out []mutant
	seen := map[string]bool{}
	for _, name := range sortedAnswers(w.answers) {
		q := w.answers[name].Requirement
		if q.Request.Resource.Service != "kms" || seen[q.Request.Resource.String()] {
			continue
		}
		arn := q.Request.Resource.String()
		seen[arn] = true
		key := func(t tree) tree { return object(t, "keys", arn) }
		e := expected(diagnose.Broken, "", snapshot.KeyState, arn, diagnose.SourceSide)
		e.blames = nil
		for _, other := range sortedAnswers(w.answers) {
			o := w.answers[other].Requirement
			cause, side := "source-key-not-usable", diagnose.SourceSide
			switch {
			case ofConsumer(&o):
				cause, side = "object-key-not-usable", diagnose.ResourceSide
			case atDestination(&o):
				cause, side = "replica-key-not-usable", diagnose.DestinationSide
			}
			if o.Request.Resource == q.Request.Resource {
				e.blames = append(e.blames, blame{ref: snapshot.Ref{Kind: snapshot.KeyState, ID: arn}, side: side, causes: []string{cause}, severity: diagnose.Fault})
			}
		}
		set := func(class, member string, v any) mutant {
			return configured(class, arn, e, func(t tree) { key(t)[member] = v })
		}
		gone := *e
		gone.warnings = true
		out = append(
			out, set("key disabled", "state", "Disabled"), set("key pending deletion", "state", "PendingDeletion"),
			set("key for signing", "usage", "SIGN_VERIFY"), set("asymmetric key", "spec", "RSA_4096"),
			configured("no key", arn, &gone, func(t tree) { object(t, "keys")[arn] = nil }),
		)
	}
	return out
}
