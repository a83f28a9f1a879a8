package guard

import (
	"strings"

	"github.com/replimend/replimend/internal/settings"
)

// lookAlikeDestination: a bucket's ARN does not say who owns it, so that a name that looks right is all that an attacker needs:
// one with a letter changed, one with something added, or the approved name itself after the bucket was deleted and somebody
// else took it. The approved route refuses them all; this says what they were taken for.
// https://hackingthe.cloud/aws/exploitation/s3-bucket-replication-exfiltration/
var lookAlikeDestination = Rule{
	Name:    "look-alike-destination",
	Summary: "a destination that only looks like an approved one is named as such",
	judge: func(q *inquiry) []objection {
		if q.settings == nil {
			return nil
		}
		bucket, owner := q.route.Destination, q.route.DestinationAccount
		var out []objection
		for _, a := range q.settings.Routes {
			want := a.Destination
			switch {
			case bucket == want.Bucket && (owner == want.Account || owner == ""):
				return nil // it is an approved one, of this route or of another
			case bucket == want.Bucket:
				out = append(out, refuse("bucket %s belongs to account %s; the approved destination of route %s has that name and belongs to account %s: it may have been deleted and its name taken", bucket, owner, a.Name, want.Account))
			case lookAlike(bucket, want):
				out = append(out, refuse("destination %q is not the approved one of route %s, it only looks like it: want %s of account %s", bucket, a.Name, want.Bucket, want.Account))
			}
		}
		return out
	},
}

// lookAlike says whether a name reads like that of a bucket: the same once look-alike characters are one, the same with
// something in front or behind, or at most two slips of a key apart. Short names are all close to each other and must read the
// same.
func lookAlike(name string, of settings.Bucket) bool {
	a, b := []rune(skeleton.Replace(strings.ToLower(name))), []rune(skeleton.Replace(strings.ToLower(of.Bucket)))
	if string(a) == string(b) {
		return true
	}
	if min(len(a), len(b)) < 8 {
		return false
	}
	return strings.Contains(string(a), string(b)) || distance(a, b) <= 2
}

// skeleton makes one of what looks alike in the characters that bucket names have.
// https://www.unicode.org/reports/tr39/#Confusable_Detection
var skeleton = strings.NewReplacer("rn", "m", "vv", "w", "0", "o", "1", "l", "i", "l", "5", "s", "8", "b", "-", "", ".", "", "_", "")

// distance is how many characters must be put in, taken out or changed to make one text of the other.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
