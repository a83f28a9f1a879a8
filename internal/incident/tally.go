package incident

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Failures is what events said: what failed, and since when. Events come twice, late and in any order, so everything in it can be
// merged again and again.
type Failures struct {
	First    time.Time `json:"first,omitzero"`   // the time of the earliest event
	Last     time.Time `json:"last,omitzero"`    // the time of the latest event
	Written  time.Time `json:"written,omitzero"` // when the earliest of the versions was written, by the events; zero: not known
	Versions Tally     `json:"versions,omitzero"`
	// S3's reasons, sorted, each once: at most 32, those that sort first. Whoever can put events into the queue can write any, and
	// crowd out others.
	Reasons []string `json:"reasons,omitempty"`
}

// The bounds of the reasons: there are more of them than S3 has documented for one kind of failure, and all of them are short.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
const (
	maxReasons = 32
	maxReason  = 128
)

// Add counts a version that was written at that time; zero: not known.
func (f *Failures) Add(o Object, written time.Time) {
	f.Versions.Add(o)
	f.Written = earlier(f.Written, written)
}

// AddReason keeps a reason of S3. What is no identifier is none.
func (f *Failures) AddReason(reason string) { f.Reasons = reasons(f.Reasons, []string{reason}) }

// reasons is every identifier of both, sorted and bounded. It shares nothing with either.
func reasons(a, b []string) []string {
	all := slices.DeleteFunc(slices.Concat(a, b), func(s string) bool { return !isReason(s) })
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), maxReasons)]
}

// isReason says whether it has the form of S3's reasons: letters and digits.
func isReason(s string) bool {
	return s != "" && len(s) <= maxReason && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// Merge is what both said.
func (f Failures) Merge(o Failures) Failures {
	out := Failures{
		First: earlier(f.First, o.First), Last: f.Last, Written: earlier(f.Written, o.Written), Versions: f.Versions.Merge(o.Versions),
		Reasons: reasons(f.Reasons, o.Reasons),
	}
	if o.Last.After(f.Last) {
		out.Last = o.Last
	}
	return out
}

// earlier is the earlier of two times; the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Equal says whether both say the same.
func (f Failures) Equal(o Failures) bool {
	return f.First.Equal(o.First) && f.Last.Equal(o.Last) && f.Written.Equal(o.Written) && f.Versions.Equal(o.Versions) &&
		slices.Equal(f.Reasons, o.Reasons)
}

// Count is how many versions failed. It is exact up to about a thousand, and an estimate beyond.
func (f Failures) Count() (n int64, exact bool) { return f.Versions.Count() }

// The bounds of a tally.
const (
	maxKept   = 1024 // versions that a tally keeps the hashes of
	maxSample = 25   // versions that it names
	// maxName bounds a version that can be named, as JSON: a key has at most 1,024 bytes, and a version ID as many.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	maxName = 2400
	// maxSize is above the size of any object, 53.7 TB, so that no invented size can outweigh all others.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingObjects.html
	maxSize = 1 << 46
)

// Tally counts distinct versions of objects in little space. To add one twice changes nothing, and merging is commutative,
// associative and idempotent.
//
// Each version is hashed, and the smallest 1,024 hashes are kept. Up to there the count is exact. Beyond, the largest of them says
// how dense hashes are: it is the estimator (k-1)/U(k) of a KMV synopsis, whose relative standard error is 1/sqrt(k-2), 3.1 %. It is
// unbiased when hashes are as good as random, which those of keys that somebody chose to be counted wrongly are not: who may
// write objects can bias the count, and nothing else. A keyed hash would prevent it, with one more secret to keep for a number that
// decides nothing. https://cacm.acm.org/research/distinct-value-synopses-for-multiset-operations/
//
// A Tally is a value: it shares what it keeps with its copies, and never changes that.
type Tally struct {
	kept   []mark   // ascending by hash
	sample []Object // those of the first kept, the zero Object where one cannot be named
	more   bool     // versions were left out
}

// mark is one version.
type mark struct {
	hash uint64
	size int64
}

// markOf hashes the key and the version ID, each with an end that cannot be moved.
func markOf(o Object) mark {
	sum := sha256.Sum256(append(binary.AppendUvarint(nil, uint64(len(o.Key))), o.Key+o.VersionID...))
	return mark{binary.BigEndian.Uint64(sum[:8]), min(max(o.Size, 0), maxSize)}
}

// named is the object when it can be named, and else the zero Object: it has a key, as JSON it stays what it is, and it is not too
// long.
func named(o Object) Object {
	if o.Key == "" || !utf8.ValidString(o.Key) || !utf8.ValidString(o.VersionID) {
		return Object{}
	}
	if text, err := json.Marshal(o); err != nil || len(text) > maxName {
		return Object{}
	}
	return o
}

// Add counts versions. Many at once cost less than one after the other.
func (t *Tally) Add(objects ...Object) { *t = t.Merge(tally(objects)) }

// tally counts as merge sort sorts.
func tally(objects []Object) Tally {
	switch n := len(objects); n {
	case 0:
		return Tally{}
	case 1:
		m, o := markOf(objects[0]), named(objects[0])
		if o.Key != "" {
			o.Size = m.size
		}
		return Tally{kept: []mark{m}, sample: []Object{o}}
	default:
		return tally(objects[:n/2]).Merge(tally(objects[n/2:]))
	}
}

// Merge counts what either counts. Where they differ about one version, the larger size is taken.
func (t Tally) Merge(o Tally) Tally {
	if len(o.kept) == 0 {
		return t
	}
	out := Tally{more: t.more || o.more, kept: make([]mark, 0, min(len(t.kept)+len(o.kept), maxKept))}
	for i, j := 0, 0; i < len(t.kept) || j < len(o.kept); {
		if len(out.kept) == maxKept {
			out.more = true
			break
		}
		var m mark
		var name Object
		switch {
		case j == len(o.kept) || i < len(t.kept) && t.kept[i].hash < o.kept[j].hash:
			m, name = t.kept[i], t.at(i)
			i++
		case i == len(t.kept) || o.kept[j].hash < t.kept[i].hash:
			m, name = o.kept[j], o.at(j)
			j++
		default:
			m = mark{t.kept[i].hash, max(t.kept[i].size, o.kept[j].size)}
			name = slices.MinFunc([]Object{t.at(i), o.at(j)}, compareNames)
			i, j = i+1, j+1
		}
		if len(out.kept) < maxSample {
			if name.Key != "" {
				name.Size = m.size
			}
			out.sample = append(out.sample, name)
		}
		out.kept = append(out.kept, m)
	}
	return out
}

// at is the name of a kept version, the zero Object where it is not known.
func (t Tally) at(i int) Object {
	if i < len(t.sample) {
		return t.sample[i]
	}
	return Object{}
}

// compareNames puts the name that is known first: of one hash there is one name, unless somebody searched for two.
func compareNames(a, b Object) int {
	if a.Key == "" || b.Key == "" {
		return -cmp.Compare(a.Key, b.Key)
	}
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.VersionID, b.VersionID))
}

// Count is how many versions there are. Beyond 1,024 it is an estimate.
func (t Tally) Count() (n int64, exact bool) {
	if !t.more {
		return int64(len(t.kept)), true
	}
	return max(whole((maxKept-1)/t.share()), maxKept+1), false
}

// Bytes is how large they are together. Beyond 1,024 versions it is an estimate: the sizes that are kept, the last one apart, are
// a sample of all.
func (t Tally) Bytes() (n int64, exact bool) {
	var kept int64
	for _, m := range t.kept {
		kept += m.size
	}
	if !t.more {
		return kept, true
	}
	return max(whole(float64(kept-t.kept[maxKept-1].size)/t.share()), kept), false
}

// share is how much of all hashes lies up to the largest one that is kept: more than 0, at most 1.
func (t Tally) share() float64 { return math.Ldexp(float64(t.kept[maxKept-1].hash)+1, -64) }

func whole(f float64) int64 {
	if f >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(math.Round(f))
}

// String is "1012", or "about 20500" where it is an estimate.
func (t Tally) String() string {
	n, exact := t.Count()
	if exact {
		return strconv.FormatInt(n, 10)
	}
	return "about " + strconv.FormatFloat(rounded(n), 'f', 0, 64)
}

// rounded leaves no more digits than an estimate has.
func rounded(n int64) float64 {
	step := math.Pow10(max(len(strconv.FormatInt(n, 10))-3, 0))
	return math.Round(float64(n)/step) * step
}

// Sample is at most 25 of the versions, in no order that means anything. With an exact count of as many it is all of them.
func (t Tally) Sample() []Object {
	var out []Object
	for _, o := range t.sample {
		if o.Key != "" {
			out = append(out, o)
		}
	}
	return out
}

// IsZero says that nothing was counted.
func (t Tally) IsZero() bool { return len(t.kept) == 0 }

// Equal says whether both counted the same versions, as far as they can tell.
func (t Tally) Equal(o Tally) bool {
	return t.more == o.more && slices.Equal(t.kept, o.kept) && slices.Equal(t.sample, o.sample)
}

// Tallied is the JSON form of a tally.
type Tallied struct {
	// How many distinct versions there are.
	Count int64 `json:"count"`
	// Whether count and bytes are exact. Otherwise they are estimates with a standard error of 3.1 %.
	Exact bool `json:"exact"`
	// How large they are together.
	Bytes int64 `json:"bytes"`
	// At most 25 of them.
	Sample []Object `json:"sample,omitempty"`
	// What tells counted versions from others: in base64, whether versions were left out, then for each a hash and its size.
	Sketch []byte `json:"sketch"`
}

// MarshalJSON writes the numbers and the sample for people, and for reading it back the sketch.
func (t Tally) MarshalJSON() ([]byte, error) {
	out := Tallied{Sample: t.Sample(), Sketch: []byte{0}}
	out.Count, out.Exact = t.Count()
	out.Bytes, _ = t.Bytes()
	if t.more {
		out.Sketch[0] = 1
	}
	for _, m := range t.kept {
		out.Sketch = binary.BigEndian.AppendUint64(out.Sketch, m.hash)
		out.Sketch = binary.AppendUvarint(out.Sketch, uint64(m.size))
	}
	return json.Marshal(out)
}

var errSketch = errors.New("read tally: the sketch is damaged")

// UnmarshalJSON reads a tally back.
func (t *Tally) UnmarshalJSON(data []byte) error {
	var in Tallied
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	rest := in.Sketch
	if len(rest) == 0 || rest[0] > 1 {
		return errSketch
	}
	out := Tally{more: rest[0] == 1}
	for rest = rest[1:]; len(rest) > 0; {
		if len(rest) < 8 || len(out.kept) == maxKept {
			return errSketch
		}
		m := mark{hash: binary.BigEndian.Uint64(rest)}
		size, n := binary.Uvarint(rest[8:])
		if n <= 0 || size > maxSize || len(out.kept) > 0 && out.kept[len(out.kept)-1].hash >= m.hash {
			return errSketch
		}
		m.size = int64(size)
		out.kept, rest = append(out.kept, m), rest[8+n:]
	}
	if out.more && len(out.kept) < maxKept {
		return errSketch
	}
	out.sample = make([]Object, min(len(out.kept), maxSample))
	for _, o := range in.Sample {
		m := markOf(o)
		i := sort.Search(len(out.sample), func(i int) bool { return out.kept[i].hash >= m.hash })
		if i == len(out.sample) || out.kept[i].hash != m.hash {
			return errors.New("read tally: the sample has a version that was not counted")
		}
		o.Size = out.kept[i].size
		out.sample[i] = named(o)
	}
	if len(out.sample) == 0 {
		out.sample = nil
	}
	*t = out
	return nil
}
