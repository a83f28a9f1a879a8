package replay

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/incident"
)

// maxListed is how many objects are listed at most. Of more S3 makes the list itself.
const maxListed = 1000

// listable says whether the objects are all that failed, each with its version. Without the version of each the list would mean
// the latest ones.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html#specify-batchjob-manifest
func listable(objects []incident.Object) bool {
	return len(objects) > 0 && len(objects) <= maxListed &&
		!slices.ContainsFunc(objects, func(o incident.Object) bool { return o.VersionID == "" })
}

// versionID is what a version may be called: it stands in the manifest as it is. S3 promises IDs that are ready for URLs, and at
// most 1,024 bytes of them.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
var versionID = regexp.MustCompile(`^[A-Za-z0-9._~/+=-]+$`)

const maxVersionID = 1024

// plain makes of a key that is escaped for a query one as in S3's examples: slashes stay. A space is %20 and a plus %2B, which every
// decoder reads in the same way, and nothing of it has a meaning in CSV.
var plain = strings.NewReplacer("+", "%20", "%2F", "/")

// manifest lists versions as CSV: bucket, key, version ID, no header. It is the same in whatever order the versions are known.
func manifest(bucket string, objects []incident.Object) ([]byte, error) {
	type version struct{ key, id string }
	rows := make([]version, 0, len(objects))
	for _, o := range objects {
		if o.Key == "" || len(o.VersionID) > maxVersionID || !versionID.MatchString(o.VersionID) {
			return nil, fmt.Errorf("list version %.80q: it has no key, or is none that S3 gives", o.VersionID) // keys may be secret
		}
		rows = append(rows, version{plain.Replace(url.QueryEscape(o.Key)), o.VersionID})
	}
	slices.SortFunc(rows, func(a, b version) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.id, b.id)) })
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, r := range slices.Compact(rows) {
		if err := w.Write([]string{bucket, r.key, r.id}); err != nil {
			return nil, fmt.Errorf("list versions: %w", err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}
