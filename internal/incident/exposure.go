package incident

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Exposure is what would be lost if the source were, as far as it is known: how much has no replica, and since when. It is what
// events and looks told. Versions that S3 skips in silence, that are still pending, or whose events are on their way, are not in it.
type Exposure struct {
	// How many versions are reported to have failed, and how large they are together.
	Versions int64 `json:"versions"`
	Bytes    int64 `json:"bytes"`
	// Whether both are exact as far as it was reported. Otherwise they are estimates.
	Exact bool `json:"exact"`
	// When the oldest of the versions was written; where no event says so, when the first was reported. Absent: nothing failed.
	Since time.Time `json:"since,omitzero"`
	// Whether Since is when one was reported and not when it was written: it is older then.
	Reported bool `json:"reported,omitempty"`
	// When the latest of them was reported: it is known up to then.
	AsOf time.Time `json:"asOf,omitzero"`
	// When all of them were replicated; absent: not yet.
	Until time.Time `json:"until,omitzero"`
}

// Exposure is how much is not replicated, or was not until the incident was resolved.
func (i Incident) Exposure() Exposure {
	f := i.Failures
	e := Exposure{Since: f.Written, AsOf: f.Last, Until: i.Resolved}
	e.Versions, e.Exact = f.Versions.Count()
	e.Bytes, _ = f.Versions.Bytes()
	if e.Since.IsZero() {
		e.Since, e.Reported = f.First, !f.First.IsZero()
	}
	return e
}

// Empty says that no version is known to have failed.
func (e Exposure) Empty() bool { return e.Versions == 0 }

// Amount is "at least 41,233 versions / 2.1 GB", or "about 41,200 versions / 2.1 GB" where it is an estimate; "" where nothing is known.
func (e Exposure) Amount() string {
	if e.Empty() {
		return ""
	}
	noun := "versions"
	if e.Versions == 1 {
		noun = "version"
	}
	if e.Exact {
		return fmt.Sprintf("at least %s %s / %s", grouped(e.Versions), noun, bytes(e.Bytes))
	}
	return fmt.Sprintf("about %s %s / %s", grouped(int64(rounded(e.Versions))), noun, bytes(e.Bytes))
}

// Window is since when, and until when where that is known: "since 2026-11-22T05:48:00Z", "first reported at …", "from … to …".
func (e Exposure) Window() string {
	since := e.Since.UTC().Format(time.RFC3339)
	switch {
	case e.Since.IsZero():
		return ""
	case !e.Until.IsZero() && e.Reported:
		return "first reported at " + since + ", replicated by " + e.Until.UTC().Format(time.RFC3339)
	case !e.Until.IsZero():
		return "from " + since + " to " + e.Until.UTC().Format(time.RFC3339)
	case e.Reported:
		return "first reported at " + since
	}
	return "since " + since
}

// Text is the whole of it at that time: "at least 41,233 versions / 2.1 GB not replicated, oldest 6 h 12 m (since …)"; "" where
// nothing is known.
func (e Exposure) Text(now time.Time) string {
	switch {
	case e.Empty():
		return ""
	case e.Since.IsZero():
		return e.Amount() + " not replicated"
	case !e.Until.IsZero():
		return fmt.Sprintf("%s were not replicated for %s (%s)", e.Amount(), span(e.Until.Sub(e.Since)), e.Window())
	case e.Reported:
		return fmt.Sprintf("%s not replicated, the oldest for more than %s (%s)", e.Amount(), span(now.Sub(e.Since)), e.Window())
	}
	return fmt.Sprintf("%s not replicated, the oldest for %s (%s)", e.Amount(), span(now.Sub(e.Since)), e.Window())
}

// NotCounted is what an exposure does not know.
const NotCounted = "versions that S3 skipped in silence, that are still pending, or whose events are on their way"

// grouped is a number with a comma between each three digits.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// bytes is a size in units of a thousand, with two digits where it has so many.
func bytes(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	power := min(int(math.Log10(float64(n)))/3, len(units))
	return fmt.Sprintf("%.1f %s", float64(n)/math.Pow10(3*power), units[power-1])
}

// span is a duration in its two largest units, "6 h 12 m"; a clock that is behind makes none of it negative.
func span(d time.Duration) string {
	d = max(d, 0)
	units := []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	var out []string
	for n, u := range units {
		if count := d / u.unit; count > 0 || n == len(units)-1 && len(out) == 0 {
			out = append(out, fmt.Sprintf("%d %s", count, u.name))
		} else if len(out) > 0 {
			break
		}
		if d %= u.unit; len(out) == 2 {
			break
		}
	}
	return strings.Join(out, " ")
}
