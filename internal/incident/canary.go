package incident

import (
	"errors"
	"time"
)

// ErrRefused says that S3 does not take a canary, now or later. Nothing was written.
var ErrRefused = errors.New("S3 refuses it")

// ErrGone says that a version of an object is not there, or its bucket.
var ErrGone = errors.New("the version is gone")

// Canary is a small object that is written to see it replicated.
type Canary struct {
	Incident string // its ID
	Route    Route
	Account  string // of the source bucket
	Region   string // of the source bucket
	Key      string
	Tags     map[string]string // that the rule selects by
	// The version that was written; "": not yet, or not known.
	VersionID string
}

// TrialState is how far a canary is.
type TrialState string

// The states of a canary.
const (
	TrialIntended TrialState = "intended" // recorded, and perhaps written: the answer did not come
	TrialWritten  TrialState = "written"  // S3 has it, and replicates it or not
	TrialRefused  TrialState = "refused"  // S3 does not take it: nothing was written
	TrialOver     TrialState = "over"     // seen to its end, and to be removed
	TrialRemoved  TrialState = "removed"  // from both buckets
	TrialLeft     TrialState = "left"     // it could not be removed, which is for people
)

// Trial is the canary of an incident, and what became of it.
type Trial struct {
	// The key of the object.
	Key string `json:"key"`
	// The tags that the rule selects by.
	Tags map[string]string `json:"tags,omitempty"`
	// The id of the account that owns the source bucket.
	Account string `json:"account"`
	// The Region of the source bucket.
	Region string `json:"region"`
	// The version that was written; absent: not yet, or not known.
	VersionID string `json:"versionId,omitempty"`
	// When it was recorded, before S3 was asked.
	At time.Time `json:"at"`
	// When the cure that it is to prove began to write: Change.At.
	For time.Time `json:"for"`
	// How far it is.
	State TrialState `json:"state"`
	// How often its removal failed.
	Failed int `json:"failed,omitempty"`
}

// Stands says that an object of it may be there, and that somebody is to see to it.
func (t *Trial) Stands() bool {
	return t != nil && (t.State == TrialIntended || t.State == TrialWritten || t.State == TrialOver)
}

// Of is what a port is told of the canary of that incident.
func (t *Trial) Of(i Incident) Canary {
	return Canary{Incident: i.ID, Route: i.Route, Account: t.Account, Region: t.Region, Key: t.Key, Tags: t.Tags, VersionID: t.VersionID}
}
