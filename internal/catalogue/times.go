package catalogue

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// Moment is a time as the language writes it, in UTC and saying so; "" for the zero time.
func Moment(l settings.Language, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(moment.say(l))
}

// Its texts are layouts.
var moment = in("2006-01-02 15:04:05 UTC", "2006年1月2日 15:04:05 UTC")

// Noticed says when the incident was opened.
func Noticed(l settings.Language, at time.Time) string { return noticed.say(l, Moment(l, at)) }

// Broken says since when the route is broken, by the change that most likely broke it.
func Broken(l settings.Language, since, opened time.Time) string {
	return broken.say(l, Moment(l, since), Moment(l, opened))
}

var (
	noticed = in("Noticed at %[1]s.", "検知: %[1]s")
	broken  = in("Most likely broken since %[1]s, noticed at %[2]s.", "障害発生（推定）: %[1]s、検知: %[2]s")
)

// Exposure is how much has no replica and since when, as far as it was reported, at that time: the recovery point if the source were lost
// now. It is a sentence also where nothing was reported.
func Exposure(l settings.Language, e incident.Exposure, now time.Time) string {
	if e.Empty() {
		return nothingReported.say(l)
	}
	form := 0
	if e.Versions == 1 {
		form = 1
	}
	how := amountAbout
	if e.Exact {
		how = amountExact
	}
	amount := how[form].say(l, count(e), size(e.Bytes))
	since, until := Moment(l, e.Since), Moment(l, e.Until)
	switch {
	case !e.Until.IsZero() && e.Since.IsZero():
		return wereNot.say(l, amount, until)
	case !e.Until.IsZero() && e.Reported:
		return wereNotReported.say(l, amount, since, until)
	case !e.Until.IsZero():
		return wereNotWritten.say(l, amount, since, until, span(l, e.Until.Sub(e.Since)))
	case e.Since.IsZero():
		return areNot[form].say(l, amount)
	case e.Reported:
		return areNotReported[form].say(l, amount, since, span(l, now.Sub(e.Since)))
	}
	return areNotWritten[form].say(l, amount, since, span(l, now.Sub(e.Since)))
}

// What the language needs in two forms is for many and for one.
var (
	nothingReported = in("No object version is reported to have failed.", "失敗が報告されたオブジェクトバージョンはありません。")

	amountExact = [2]text{
		in("At least %[1]s object versions (%[2]s)", "少なくとも %[1]s 個のオブジェクトバージョン（%[2]s）"),
		in("At least %[1]s object version (%[2]s)", "少なくとも %[1]s 個のオブジェクトバージョン（%[2]s）"),
	}
	amountAbout = [2]text{
		in("About %[1]s object versions (%[2]s)", "約 %[1]s 個のオブジェクトバージョン（%[2]s）"),
		in("About %[1]s object version (%[2]s)", "約 %[1]s 個のオブジェクトバージョン（%[2]s）"),
	}
	areNot = [2]text{
		in("%[1]s are not replicated.", "%[1]sがレプリケートされていません。"),
		in("%[1]s is not replicated.", "%[1]sがレプリケートされていません。"),
	}
	areNotWritten = [2]text{
		in(
			"%[1]s are not replicated; the oldest was written at %[2]s (%[3]s ago).",
			"%[1]sがレプリケートされていません。最も古いものは %[2]s（%[3]s前）に書き込まれました。",
		),
		in(
			"%[1]s is not replicated; it was written at %[2]s (%[3]s ago).",
			"%[1]sがレプリケートされていません。%[2]s（%[3]s前）に書き込まれました。",
		),
	}
	areNotReported = [2]text{
		in(
			"%[1]s are not replicated; the first failure was reported at %[2]s (%[3]s ago), so the oldest is older than that.",
			"%[1]sがレプリケートされていません。最初の失敗は %[2]s（%[3]s前）に報告されており、最も古いものはそれより前に書き込まれています。",
		),
		in(
			"%[1]s is not replicated; its failure was reported at %[2]s (%[3]s ago), so it is older than that.",
			"%[1]sがレプリケートされていません。失敗は %[2]s（%[3]s前）に報告されており、それより前に書き込まれています。",
		),
	}

	wereNot        = in("%[1]s had no replica until %[2]s.", "%[1]sが %[2]s までレプリケートされていませんでした。")
	wereNotWritten = in(
		"%[1]s had no replica from %[2]s to %[3]s (%[4]s).",
		"%[1]sが %[2]s から %[3]s まで（%[4]s）レプリケートされていませんでした。",
	)
	wereNotReported = in(
		"%[1]s had no replica; the first failure was reported at %[2]s, and all were replicated by %[3]s.",
		"%[1]sがレプリケートされていませんでした。最初の失敗は %[2]s に報告され、%[3]s までにすべてレプリケートされました。",
	)
)

// count is how many, with a comma between each three digits; of an estimate three digits count, because more would claim what is not known.
func count(e incident.Exposure) string {
	n := e.Versions
	if !e.Exact && n >= 1000 {
		unit := int64(math.Pow10(len(strconv.FormatInt(n, 10)) - 3))
		n = n / unit * unit
	}
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// size is in units of a thousand, as S3's metrics and bills are read.
func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	value, power := float64(n), 0
	for value >= 1000 && power < len(units)-1 {
		value, power = value/1000, power+1
	}
	if power == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[power])
}

// span is a duration in its two largest units, and below two minutes, of which a minute would be half, in seconds. A clock that is behind
// makes none of it negative.
func span(l settings.Language, d time.Duration) string {
	d = max(d, 0)
	minutes := int64(d / time.Minute)
	days, hours, rest := minutes/(24*60), minutes/60%24, minutes%60
	switch {
	case days > 0:
		return spanDays.say(l, days, hours)
	case hours > 0:
		return spanHours.say(l, hours, rest)
	case minutes > 1:
		return spanMinutes.say(l, rest)
	}
	return spanSeconds.say(l, int64(d/time.Second))
}

var (
	spanDays    = in("%[1]d d %[2]d h", "%[1]d 日 %[2]d 時間")
	spanHours   = in("%[1]d h %[2]d m", "%[1]d 時間 %[2]d 分")
	spanMinutes = in("%[1]d m", "%[1]d 分")
	spanSeconds = in("%[1]d s", "%[1]d 秒")
)
