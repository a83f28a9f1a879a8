// Package signal turns a raw event into Signals: where to look, and a hint. Every field of a Signal was written by somebody
// else and is untrusted; nothing is decided here.
//
// The functions reach it through intake, the command line reads the file of an event with it, and diagnose takes its hints
// from it. It knows neither Lambda's event types nor what a queue does with a message that is refused.
package signal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ErrIgnored says that the event is well-formed and of no concern: a test message, an event of another kind.
var ErrIgnored = errors.New("event is of no concern")

// Kind is what happened to an object, from the event's name.
type Kind uint8

// The kinds of replication events.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
const (
	Failed                   Kind = iota + 1 // OperationFailedReplication
	MissedThreshold                          // OperationMissedThreshold
	ReplicatedAfterThreshold                 // OperationReplicatedAfterThreshold: a recovery
	NotTracked                               // OperationNotTracked
)

var kindNames = []string{
	"", "OperationFailedReplication", "OperationMissedThreshold", "OperationReplicatedAfterThreshold", "OperationNotTracked",
}

// String is S3's word for the kind: what follows "Replication:" in the event's name.
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// ParseKind reads the name of an event as it stands in a record, or with the "s3:" that it has in configurations. Of any
// other name, be it of a replication event that is not known here, it says false.
func ParseKind(eventName string) (Kind, bool) {
	name, ok := strings.CutPrefix(strings.TrimPrefix(eventName, "s3:"), "Replication:")
	i := slices.Index(kindNames, name)
	if !ok || i <= 0 {
		return 0, false
	}
	return Kind(i), true
}

// Signal is one record of an event.
type Signal struct {
	Kind        Kind
	Region      string // of the source bucket
	Bucket      string // the source bucket's name
	Owner       string // principal id of the bucket's owner, as the event says
	Rule        string // the id of the replication rule
	Destination string // the ARN of the destination bucket, as the event says
	Key         string // decoded; any characters, so do not print it as it is
	VersionID   string
	Size        int64
	Operation   string    // OBJECT_PUT, an open set
	Reason      string    // failureReason, an open set; only on Failed
	EventTime   time.Time // of the event, in UTC
	RequestTime time.Time // of the request that was to be replicated, in UTC; zero when the event does not say
}
