package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/lab"
)

// reports is what users hit and wrote down: each has a scenario. Several are the same trouble.
var reports = []string{
	"https://github.com/hashicorp/terraform/issues/18966",
	"https://github.com/hashicorp/terraform/issues/26704",
	"https://github.com/hashicorp/terraform-provider-aws/issues/15833",
	"https://github.com/aws-ia/terraform-aws-control_tower_account_factory/issues/639",
	"https://github.com/awsdocs/amazon-s3-userguide/pull/116",
	"https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/1144",
	"https://github.com/ministryofjustice/modernisation-platform/pull/13498",
	"https://github.com/ministryofjustice/modernisation-platform/pull/13504",
	"https://github.com/ministryofjustice/modernisation-platform/pull/13520",
	"https://github.com/cloudposse/terraform-aws-s3-bucket/issues/277",
	"https://github.com/cloudposse/terraform-aws-s3-bucket/issues/68",
	"https://github.com/alphagov/govuk-infrastructure/pull/4840",
	"https://github.com/awsdocs/amazon-s3-userguide/pull/92",
	"https://github.com/aws-solutions/workload-discovery-on-aws/issues/59",
	"https://github.com/nozaq/terraform-aws-remote-state-s3-backend/pull/11",
	"https://github.com/hashicorp/terraform-provider-aws/issues/26241",
	"https://github.com/hashicorp/terraform/issues/17740",
	"https://github.com/hashicorp/terraform-provider-aws/issues/14061",
	"https://github.com/ministryofjustice/analytical-platform/pull/5896",
	"https://github.com/kubernetes/k8s.io/pull/4118",
	"https://github.com/awsdocs/amazon-s3-userguide/issues/59",
	"https://github.com/Crown-Commercial-Service/digitalmarketplace-aws/pull/432",
	"https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/608",
	"https://github.com/slashdevops/idp-scim-sync/pull/540",
	"https://github.com/aws/aws-cdk/pull/33978",
	"https://github.com/aws/aws-cdk/pull/30966",
	"https://github.com/DataDog/terraform-module-datadog-agentless-scanner/pull/43",
	"https://github.com/aws-ia/terraform-aws-control_tower_account_factory/issues/567",
}

// The excuses: what no scenario expects, and why. One that a scenario does expect is stale.
var (
	unrehearsedCauses = map[string]string{}
	unrehearsedRules  = map[string]string{}
	// notPlayed is the reasons that the S3 of the lab never sends. Scenarios say that they were reported instead.
	notPlayed = map[string]string{
		"DstBucketInvalidRegion":            onlyBatch,
		"DstObjectHardDeleted":              onlyBatch,
		"InitiateReplicationNotPermitted":   onlyBatch,
		"SrcBucketInvalidRegion":            onlyBatch,
		"SrcObjectNotEligible":              "S3 plans nothing for such an object, so that only a job that names it can fail",
		"SrcReplicationNotPending":          "S3 plans nothing for such an object, so that only a job that names it can fail",
		"DstMultipartCompleteNotPermitted":  "what would refuse the end of an upload has refused its beginning or its parts",
		"DstVersionNotFound":                "changes of metadata are replicated with the object as it is then",
		"SrcBucketNotFound":                 "a bucket that is gone has taken its events with it",
		"SrcBucketReplicationConfigMissing": "the lab replicates at once, so that no rule disappears in between",
		"SrcKeyNotFound":                    atOnce,
		"SrcObjectNotFound":                 atOnce,
		"SrcVersionNotFound":                atOnce,
	}
)

const (
	onlyBatch = "only S3 Batch Replication gives it, and the jobs of the lab have no role and no Region"
	atOnce    = "the lab replicates at once, so that no object disappears in between"
)

// expected is the words that follow a verb at that place, over all scenarios.
func expected(all []Scenario, place int, verbs ...string) map[string]bool {
	out := map[string]bool{}
	for _, s := range all {
		for _, l := range s.script {
			if slices.Contains(verbs, l.words[0]) && len(l.words) > place {
				out[l.words[place]] = true
			}
		}
	}
	return out
}

// hold compares what there is with what scenarios expect and with the excuses of those that none expects.
func hold(t *testing.T, there []string, found map[string]bool, excuses map[string]string) {
	t.Helper()
	for _, name := range there {
		why, excused := excuses[name]
		switch {
		case !found[name] && !excused:
			t.Errorf("no scenario expects %s", name)
		case found[name] && excused:
			t.Errorf("the excuse of %s is stale: a scenario expects it", name)
		case excused && why == "":
			t.Errorf("the excuse of %s gives no reason", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(excuses)) {
		if !slices.Contains(there, name) {
			t.Errorf("the excuse of %s is stale: there is no such thing", name)
		}
	}
}

var allOnce = sync.OnceValues(All)

func everything(t *testing.T) []Scenario {
	t.Helper()
	all, err := allOnce()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryCauseIsRehearsed(t *testing.T) {
	t.Parallel()
	var there []string
	for _, c := range diagnose.Causes() {
		there = append(there, c.Name)
	}
	all := everything(t)
	found := expected(all, 1, "fault", "warning", "cause")
	for _, s := range all {
		for _, l := range s.script {
			if l.words[0] == "finding" && l.words[2] != "none" {
				found[l.words[1]] = true
			}
		}
	}
	hold(t, there, found, unrehearsedCauses)
}

func TestEveryRuleOfTheGuardIsRehearsed(t *testing.T) {
	t.Parallel()
	var there []string
	for _, r := range guard.Rules() {
		there = append(there, r.Name)
	}
	found := map[string]bool{}
	for _, s := range everything(t) {
		for _, l := range s.script {
			if l.words[0] == "guard" && l.words[1] != "allow" {
				for _, rule := range l.words[2:] {
					found[rule] = true
				}
			}
		}
	}
	hold(t, there, found, unrehearsedRules)
}

func TestEveryFailureReasonIsRehearsed(t *testing.T) {
	t.Parallel()
	var there []string
	for _, r := range diagnose.Reasons() {
		there = append(there, r.Name)
	}
	all := everything(t)
	hold(t, there, expected(all, 1, "failure"), notPlayed)
	told := expected(all, 4, "reported")
	for _, name := range slices.Sorted(maps.Keys(notPlayed)) {
		if !told[name] {
			t.Errorf("no scenario has %s reported", name)
		}
	}
}

func TestEveryReportOfUsersIsRehearsed(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, s := range everything(t) {
		for _, r := range s.Reports {
			found[r] = true
			if !slices.Contains(reports, r) {
				t.Errorf("scenario %s: %s is not in the list of reports", s.Name, r)
			}
		}
	}
	hold(t, reports, found, nil)
}

// TestLayoutsAndEncryptionsAreRehearsed looks at the objects that scenarios wrote to buckets that are replicated: each kind arrives
// in some scenario and fails in another, within one account and across two.
func TestLayoutsAndEncryptionsAreRehearsed(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, s := range everything(t) {
		st, _ := s.play(t.Context(), lab.Options{}, func(Step) {})
		for _, o := range st.written {
			for _, layout := range st.layouts(t, o.Bucket) {
				found[fmt.Sprintf("%s %s bucket-key=%t %s", layout, orNone(o.Encryption.V), o.BucketKey, orNone(o.ReplicationStatus.V))] = true
			}
		}
	}
	var there []string
	for _, layout := range []string{"one-account", "two-accounts"} {
		for _, kind := range []string{"AES256 bucket-key=false", "aws:kms bucket-key=false", "aws:kms bucket-key=true", "aws:kms:dsse bucket-key=false", "SSE-C bucket-key=false"} {
			there = append(there, strings.Join([]string{layout, kind, "COMPLETED"}, " "), strings.Join([]string{layout, kind, "FAILED"}, " "))
		}
	}
	hold(t, there, found, nil)
}

// layouts says whether the rules of a bucket lead to its own account or to another one.
func (st *stage) layouts(t *testing.T, bucket string) []string {
	s, err := st.cloud.Snapshot(t.Context(), bucket)
	if err != nil {
		return nil
	}
	var out []string
	for _, r := range s.Buckets[bucket].V.Replication.V.Rules {
		to := s.Buckets[strings.TrimPrefix(r.Destination.Bucket, "arn:aws:s3:::")]
		if to.V.Account == s.Buckets[bucket].V.Account {
			out = append(out, "one-account")
		} else if to.V.Account != "" {
			out = append(out, "two-accounts")
		}
	}
	return out
}
