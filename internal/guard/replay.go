package guard

import (
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// CheckReplay judges whether objects of a bucket may be replayed. S3 Batch Replication runs every enabled rule of the bucket,
// so that every one of them must be approved as it is, in whatever mode. Where there is nothing to judge nothing is allowed.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
func CheckReplay(bucket string, s *snapshot.Snapshot, set *settings.Settings) Verdict {
	v := Verdict{Decision: Allow, Reasons: []Reason{}}
	against := func(o ...objection) { v.add(approvedRoute.Name, o) }
	if s == nil {
		s = &snapshot.Snapshot{}
	}
	source, ok := s.Buckets[bucket].Get()
	switch {
	case set == nil:
		against(refuse("there are no settings that approve a route"))
		return v
	case !ok:
		against(refuse("the snapshot does not have bucket %s", bucket))
		return v
	case source.Replication.State != snapshot.Present:
		against(refuse("the snapshot has no replication configuration of bucket %s", bucket))
		return v
	}
	judged := 0
	for _, r := range route.Routes(s) {
		if r.Source != bucket {
			continue
		}
		judged++
		for _, o := range approvedRoute.judge(newInquiry(r, s, set)) {
			against(refuse("a replay would use rule %q to %s, too: %s", r.RuleID, r.Destination, o.text))
		}
	}
	if judged == 0 {
		against(refuse("bucket %s has no enabled replication rule", bucket))
	}
	return v
}
