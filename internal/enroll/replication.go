package enroll

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// metrics switches the rule's metrics on. Everything else of the configuration stays as it was, to the byte.
func (p *planner) metrics() {
	title := fmt.Sprintf("enable replication metrics of rule %s", p.r.RuleID)
	rule, ok := p.rule(Metrics, title)
	if !ok {
		return
	}
	destination := rule.Get("Destination")
	if destination.Get("Metrics").Get("Status").Text == "Enabled" {
		return
	}
	if !rule.Get("Filter").Present() {
		// A report of what S3 answers: https://github.com/alphagov/govuk-infrastructure/pull/4833
		p.refuse(Refusal{
			Kind: Metrics, Title: title, Owner: p.r.SourceAccount,
			Reason: fmt.Sprintf("rule %s has no Filter, so the configuration is of the first version, which has no metrics",
				p.r.RuleID),
			Do: "move the configuration to the second version: Filter instead of Prefix, a Priority and DeleteMarkerReplication " +
				"in every rule. That changes what happens to delete markers, so decide it for each rule\n" +
				"https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html#replication-backward-compat-considerations",
		})
		return
	}
	// Without Replication Time Control there may be no event threshold.
	// A report of what S3 answers: https://github.com/crossplane-contrib/provider-aws/issues/1117
	metrics := destination.Get("Metrics").With("Status", jsontree.Str("Enabled"))
	p.replace(Metrics, title, rule.With("Destination", destination.With("Metrics", metrics)),
		"S3 sends failure events only for rules with metrics. They are billed as CloudWatch custom metrics: up to four "+
			"for the rule (https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html, "+
			"https://aws.amazon.com/cloudwatch/pricing/).")
}

// kmsObjects lets the rule replicate objects that are encrypted with KMS.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
func (p *planner) kmsObjects() {
	key := p.o.ReplicaKey
	title := fmt.Sprintf("let rule %s replicate objects that are encrypted with KMS", p.r.RuleID)
	rule, ok := p.rule(KMSObjects, title)
	if !ok {
		return
	}
	destination, criteria := rule.Get("Destination"), rule.Get("SourceSelectionCriteria")
	encryption := destination.Get("EncryptionConfiguration")
	named := encryption.Get("ReplicaKmsKeyID").Text
	refuse := func(reason, do string) {
		p.refuse(Refusal{Kind: KMSObjects, Title: title, Reason: reason, Owner: p.r.SourceAccount, Do: do})
	}
	switch {
	case key.Service != "kms" || !strings.HasPrefix(key.Resource, "key/") || !policy.IsAccountID(key.Account) ||
		key.HasWildcard():
		refuse(fmt.Sprintf("%.120q is not the ARN of a key", key),
			"name the key by its ARN: an alias can be pointed at another key")
		return
	case p.r.DestinationRegion == "" || key.Region != p.r.DestinationRegion:
		refuse(fmt.Sprintf("key %s is not in the Region of bucket %s (%s)", key, p.r.Destination, known(p.r.DestinationRegion)),
			"name a key of the destination bucket's Region")
		return
	case named != "" && named != key.String() && p.r.ReplicaKey != key:
		refuse(fmt.Sprintf("replicas of rule %s are encrypted with %.200q already", p.r.RuleID, named),
			"enrol with that key, or change the key of the rule by hand first")
		return
	case named != "" && criteria.Get("SseKmsEncryptedObjects").Get("Status").Text == "Enabled":
		return
	}
	if named == "" {
		encryption = encryption.With("ReplicaKmsKeyID", jsontree.Str(key.String()))
	}
	objects := criteria.Get("SseKmsEncryptedObjects").With("Status", jsontree.Str("Enabled"))
	rule = rule.With("SourceSelectionCriteria", criteria.With("SseKmsEncryptedObjects", objects))
	rule = rule.With("Destination", destination.With("EncryptionConfiguration", encryption))
	p.replace(KMSObjects, title, rule, fmt.Sprintf(
		"Objects that are encrypted with KMS, which S3 skips in silence until now, will leave account %s for bucket %s of "+
			"account %s: whoever may read there and use key %s can read them. The role needs permissions on the keys of both "+
			"sides. Only what is uploaded after the change is replicated.",
		known(p.r.SourceAccount), p.r.Destination, known(p.r.DestinationAccount), key))
}

func known(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}

// rule is the live rule of the route, with the changes of the steps so far.
func (p *planner) rule(k Kind, title string) (jsontree.Node, bool) {
	if p.replication.State == snapshot.Missing {
		p.unread(k, title, p.r.Source, p.r.SourceAccount, p.replication)
		return jsontree.Node{}, false
	}
	if i := p.index(); i >= 0 {
		return p.replication.V.Get("Rules").Items[i], true
	}
	p.refuse(Refusal{
		Kind: k, Title: title, Owner: p.r.SourceAccount,
		Reason: fmt.Sprintf("bucket %s has no enabled rule %s to bucket %s any more", p.r.Source, p.r.RuleID, p.r.Destination),
		Do:     "look at the replication configuration, and enrol the rule that is there",
	})
	return jsontree.Node{}, false
}

// index is the place of the route's rule in the configuration, -1 when it is not there as the route has it.
func (p *planner) index() int {
	found := -1
	for i, rule := range p.replication.V.Get("Rules").Items {
		id := rule.Get("ID").Text
		if id == "" {
			id = fmt.Sprintf("#%d", i+1)
		}
		bucket := rule.Get("Destination").Get("Bucket").Text
		if id != p.r.RuleID || bucket != p.r.Rule.Destination.Bucket || rule.Get("Status").Text != "Enabled" {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}

// replace is the step that puts a rule in the place of the route's.
func (p *planner) replace(k Kind, title string, rule jsontree.Node, note string) {
	before := p.replication.V
	rules := append([]jsontree.Node{}, before.Get("Rules").Items...)
	rules[p.index()] = rule
	after := before.With("Rules", jsontree.List(rules...))
	source := p.bucketARN(p.r.Source)
	p.add(Step{
		Kind: k, Title: title, Bucket: p.r.Source, Account: p.r.SourceAccount, Region: p.r.SourceRegion,
		Before: before, After: after, Note: note,
		// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
		Needs: []Permission{
			{"s3:GetReplicationConfiguration", source},
			{"s3:PutReplicationConfiguration", source},
			{"iam:PassRole", before.Get("Role").Text},
		},
	})
	p.replication.V = after
}
