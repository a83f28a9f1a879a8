package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/policy"
)

func TestOperatorsAreNamedAsInTheGuide(t *testing.T) {
	t.Parallel()
	names := []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
	}
	for o := policy.StringEquals; o <= policy.Null; o++ {
		if want := names[o-1]; o.String() != want || o.Negated() != strings.Contains(want, "Not") {
			t.Errorf("operator %d is %s, negated %t; want %s", o, o, o.Negated(), want)
		}
	}
}

// TestOperatorsReadWhatTheyPrint holds OperatorText against Parse, for every operator with every qualifier.
func TestOperatorsReadWhatTheyPrint(t *testing.T) {
	t.Parallel()
	for o := policy.StringEquals; o <= policy.Null; o++ {
		for q := policy.NoQualifier; q <= policy.ForAnyValue; q++ {
			for _, ifExists := range []bool{false, true} {
				c := policy.Condition{Operator: o, Qualifier: q, IfExists: ifExists, Key: "k", Values: []string{"${v}"}}
				d, err := policy.Parse([]byte(statement(fmt.Sprintf(
					`{"Effect":"Allow","Action":"*","Condition":{%q:{"k":"${v}"}}}`, c.OperatorText()))))
				if o == policy.Null && (ifExists || q != policy.NoQualifier) {
					if err == nil {
						t.Errorf("%s is accepted", c.OperatorText())
					}
					continue
				}
				if err != nil {
					t.Error(err)
					continue
				}
				if got := d.Statements[0].Conditions[0]; got.Operator != o || got.Qualifier != q || got.IfExists != ifExists {
					t.Errorf("%s reads as %+v", c.OperatorText(), got)
				}
			}
		}
	}
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-11-22T13:14:15Z":          day.Add(13*time.Hour + 14*time.Minute + 15*time.Second),
		"2026-11-22T13:14:15.25Z":       day.Add(13*time.Hour + 14*time.Minute + 15*time.Second + 250*time.Millisecond),
		"2026-11-22T13:14:15+01:00":     day.Add(12*time.Hour + 14*time.Minute + 15*time.Second),
		"2026-11-22T13:14:15+0100":      day.Add(12*time.Hour + 14*time.Minute + 15*time.Second),
		"2026-11-22T13:14Z":             day.Add(13*time.Hour + 14*time.Minute),
		"2026-11-22":                    day,
		"2026-11":                       day.AddDate(0, 0, -21),
		"2026":                          time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"1795305600":                    day,
		"-86400":                        time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC),
		"9999-12-31T23:59:59Z":          time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		"1601-01-01T00:00:00Z":          time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC),
		"tomorrow":                      {},
		"":                              {},
		"2026-13-01":                    {},
		"2026-11-22T25:00:00Z":          {},
		"99999999999999999999":          {},
		"2026-11-22T13:14:15Z and more": {},
	} {
		got, err := policy.ParseDate(text)
		if !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("ParseDate(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParsePrefix(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"203.0.113.0/24":  "203.0.113.0/24",
		"203.0.113.77/24": "203.0.113.0/24",
		"203.0.113.77":    "203.0.113.77/32",
		"0.0.0.0/0":       "0.0.0.0/0",
		"2001:db8::1":     "2001:db8::1/128",
		"2001:DB8::/32":   "2001:db8::/32",
		"10.0.0.0/33":     "",
		"10.0.0":          "",
		"fe80::1%eth0":    "",
		"":                "",
	} {
		got, err := policy.ParsePrefix(text)
		if (err != nil) != (want == "") || err == nil && got.String() != want {
			t.Errorf("ParsePrefix(%q) = %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestParseNumberAndBool(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"5": 5, "-1.5": -1.5, "007": 7, "1e3": 1000} {
		if got, err := policy.ParseNumber(text); err != nil || got != want {
			t.Errorf("ParseNumber(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "five", "NaN", "1e999", "1 "} {
		if got, err := policy.ParseNumber(text); err == nil || got != 0 {
			t.Errorf("ParseNumber(%q) = %v, %v; want an error", text, got, err)
		}
	}
	for text, want := range map[string]bool{"true": true, "TRUE": true, "False": false} {
		if got, err := policy.ParseBool(text); err != nil || got != want {
			t.Errorf("ParseBool(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1", "yes"} {
		if got, err := policy.ParseBool(text); err == nil || got {
			t.Errorf("ParseBool(%q) = %v, %v; want an error", text, got, err)
		}
	}
}
