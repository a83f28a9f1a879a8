package guard

import (
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// CheckReplay judges whether objects of a bucket may be replayed. S3 Batch Replication runs every enabled rule of the bucket,
// so that every one of them must be approved as it is, in whatever mode.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
func CheckReplay(bucket string, s *snapshot.Snapshot, set *settings.Settings) Verdict {
	v := Verdict{Decision: Allow, Reasons: []Reason{}}
	for _, r := range route.Routes(s) {
		if r.Source != bucket {
			continue
		}
		var out []objection
		for _, o := range approvedRoute.judge(newInquiry(r, s, set)) {
			out = append(out, refuse("a replay would use rule %q to %s, too: %s", r.RuleID, r.Destination, o.text))
		}
		v.add(approvedRoute.Name, out)
	}
	return v
}
