// Package enroll says what a person has to switch on so that the failures of a route are heard: versioning, the rule's metrics, the
// opt-in to KMS objects where it is asked for, and the notification of failures. Each step is one change of one document of a
// bucket, shown before it is made.
//
// It turns documents into documents. The command line asks the person, and package awscloud writes under the person's own
// credentials: no function of Replimend may make any of these changes.
package enroll

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Kind is what a step switches on.
type Kind string

// The kinds, in the order in which they are taken.
const (
	SourceVersioning      Kind = "source-versioning"
	DestinationVersioning Kind = "destination-versioning"
	Metrics               Kind = "metrics"
	KMSObjects            Kind = "kms-objects"
	FailureNotification   Kind = "failure-notification"
)

// Document is the configuration of a bucket that a step replaces.
type Document string

// The documents, each as a command of `aws s3api` prints it.
const (
	Versioning   Document = "versioning"    // get-bucket-versioning; {} where it was never enabled
	Replication  Document = "replication"   // get-bucket-replication, what stands within ReplicationConfiguration
	Notification Document = "notifications" // get-bucket-notification-configuration; {} without any
)

// Document is what a step of that kind replaces.
func (k Kind) Document() Document {
	switch k {
	case SourceVersioning, DestinationVersioning:
		return Versioning
	case FailureNotification:
		return Notification
	default:
		return Replication
	}
}

// Reading is a document that was asked for. Why says, of one that is missing, what kept it from being read.
type Reading struct {
	snapshot.Value[jsontree.Node]
	Why string
}

// Live is the documents of a route as they are now. Of versioning and notifications S3 always has one, which may be empty.
type Live struct {
	SourceVersioning, DestinationVersioning, Replication, Notification Reading
}

// Options is what a person asks for.
type Options struct {
	// Target is the topic, queue or function that the events of failures go to.
	Target policy.ARN
	// ReplicaKey is the key for the replicas of KMS objects. Without one the opt-in to KMS objects stays as it is: it lets data out
	// that nobody has replicated so far, so it is taken on no word but a person's.
	ReplicaKey policy.ARN
	// Accounts is those that the person has credentials for. What has to change in another one is a refusal that names its owner.
	Accounts []string
	// Skip is the kinds that the person declined.
	Skip []Kind
}

// Step is one change of one document.
type Step struct {
	Kind            Kind
	Title           string
	Bucket          string
	Account, Region string // the bucket's
	Before, After   jsontree.Node
	// Note says what the change costs or risks, in whole sentences.
	Note string
	// Needs is the permissions of whoever makes the change.
	Needs []Permission
}

// Permission is one action on one resource.
type Permission struct{ Action, Resource string }

// Diff is the step as a unified diff of the indented documents.
func (s Step) Diff() string {
	name := fmt.Sprintf("%s of bucket %s", s.Kind.Document(), s.Bucket)
	return udiff.Unified(name, name, s.Before.Indent()+"\n", s.After.Indent()+"\n")
}

// Refusal is what is needed and cannot be done here: somebody has to do it, or to decide.
type Refusal struct {
	Kind   Kind
	Title  string
	Reason string
	Owner  string // the account, or the ARN of what stands in the way; "" when it is not known
	Do     string // what has to be done, commands on lines of their own
}

// Enrolment is everything that a route lacks.
type Enrolment struct {
	// Steps are in their order. Several may change one document: the After of one is then the Before of the next. Who declines a
	// step, or has made one, makes the enrolment anew from what is live.
	Steps    []Step
	Refusals []Refusal
	// Route is the route's entry for replimend.yaml in mode observe, as the snapshot has the route. It is "" when something that
	// an entry pins is not known; Unpinned then says what.
	Route, Unpinned string
}

// New compares a route with what it should be. What is so already makes no step.
func New(r route.Route, s *snapshot.Snapshot, live Live, o Options) Enrolment {
	p := planner{r: r, s: s, o: o, replication: live.Replication}
	if p.wanted(SourceVersioning) {
		p.version(SourceVersioning, live.SourceVersioning)
	}
	if p.wanted(DestinationVersioning) {
		p.version(DestinationVersioning, live.DestinationVersioning)
	}
	if p.wanted(Metrics) {
		p.metrics()
	}
	if p.wanted(KMSObjects) && !o.ReplicaKey.IsZero() {
		p.kmsObjects()
	}
	if p.wanted(FailureNotification) {
		p.notify(live.Notification)
	}
	if pinned, err := guard.Pin(r, s); err != nil {
		p.out.Unpinned = err.Error()
	} else {
		p.out.Route = pinned.YAML()
	}
	return p.out
}

// planner collects the steps of one route.
type planner struct {
	r           route.Route
	s           *snapshot.Snapshot
	o           Options
	replication Reading // with the steps so far
	out         Enrolment
}

func (p *planner) wanted(k Kind) bool { return !slices.Contains(p.o.Skip, k) }

// add adds the step unless the account is one that the person has no way into.
func (p *planner) add(s Step) {
	if s.Account == "" || !slices.Contains(p.o.Accounts, s.Account) {
		owner := s.Account
		reason := fmt.Sprintf("bucket %s belongs to account %s, which you have no credentials for", s.Bucket, s.Account)
		if owner == "" {
			reason = fmt.Sprintf("the owner of bucket %s is not known", s.Bucket)
		}
		p.refuse(Refusal{Kind: s.Kind, Title: s.Title, Reason: reason, Owner: owner, Do: s.Command()})
		return
	}
	p.out.Steps = append(p.out.Steps, s)
}

func (p *planner) refuse(r Refusal) { p.out.Refusals = append(p.out.Refusals, r) }

// unread refuses to judge a document that could not be read.
func (p *planner) unread(k Kind, title, bucket, account string, d Reading) {
	why := d.Why
	if why == "" {
		why = "it was not read"
	}
	p.refuse(Refusal{
		Kind: k, Title: title, Owner: account,
		Reason: fmt.Sprintf("the %s of bucket %s is not known: %s", k.Document(), bucket, why),
		Do:     fmt.Sprintf("let whoever enrols read the %s of bucket %s", k.Document(), bucket),
	})
}

// Command is the step as a command of the AWS CLI.
func (s Step) Command() string {
	set := map[Document]string{
		Versioning:   "put-bucket-versioning --versioning-configuration",
		Replication:  "put-bucket-replication --replication-configuration",
		Notification: "put-bucket-notification-configuration --notification-configuration",
	}[s.Kind.Document()]
	text, _ := s.After.MarshalJSON() // never fails
	out := fmt.Sprintf("aws s3api %s %s --bucket %s", set, quote(string(text)), quote(s.Bucket))
	if s.Account != "" {
		out += " --expected-bucket-owner " + s.Account
	}
	return out
}

// quote makes one word for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// bucketARN is the ARN of a bucket of the route.
func (p *planner) bucketARN(bucket string) string {
	return policy.BucketARN(p.r.Partition, bucket).String()
}
