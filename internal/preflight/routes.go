package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// routes finds approved routes that are not there, and blind ones: rules whose failures nobody hears of.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
func (c *checker) routes() {
	live := c.w.Routes()
	for _, approved := range c.f.Settings.Routes {
		account, subject := approved.Source.Account, "route "+approved.Name
		bucket := approved.Source.Bucket
		enroll := "replimend enroll " + approved.Name + " --notify ARN"
		b, ok := c.f.Snapshot.Buckets[bucket].Get()
		switch {
		case c.f.Snapshot.Buckets[bucket].State == snapshot.Absent:
			c.missing(Blocks, account, subject, "make the bucket, or take the route out of replimend.yaml",
				"bucket %s does not exist", bucket)
			continue
		case !ok:
			c.missing(Blocks, account, subject, "let the reader of the account read the bucket",
				"bucket %s is not known: %s", bucket, c.unreadable("buckets."+bucket))
			continue
		case b.Replication.State == snapshot.Missing:
			c.missing(Blocks, account, subject, "let the reader of the account call s3:GetReplicationConfiguration",
				"the replication configuration of bucket %s is not known: %s",
				bucket, c.unreadable("buckets."+bucket+".replication"))
			continue
		}
		i := slices.IndexFunc(live, func(r route.Route) bool {
			return r.Source == bucket && r.RuleID == approved.Rule.ID && r.Destination == approved.Destination.Bucket
		})
		if i < 0 {
			c.missing(Blocks, account, subject, "enable the rule, or approve the one that is there: replimend routes adopt",
				"bucket %s has no enabled rule %q to bucket %s", bucket, approved.Rule.ID, approved.Destination.Bucket)
			continue
		}
		c.blind(live[i], b, account, subject, enroll)
	}
	for _, a := range c.each() {
		if a.member == nil && len(a.routes) > 0 {
			c.missing(Limits, a.id, "account "+a.id, "deploy Replimend's roles there, and add the account to members in replimend.yaml",
				"the account is no member, although %s needs it: its documents are read with the caller's own credentials, "+
					"and no function can repair them", named("route", a.routes))
		}
	}
}

func (c *checker) blind(r route.Route, b snapshot.Bucket, account, subject, enroll string) {
	if !r.HasMetrics() {
		c.missing(Blocks, account, subject, enroll,
			"rule %s has no replication metrics, so that S3 sends no failure events for it", r.RuleID)
	}
	switch {
	case b.Notifications.State == snapshot.Missing:
		c.missing(Limits, account, subject, "let the reader of the account call s3:GetBucketNotification",
			"whether anybody is told of failures is not known: %s", c.unreadable("buckets."+r.Source+".notifications"))
	case !r.Told(b.Notifications.V, route.FailureEvent):
		c.missing(Blocks, account, subject, enroll,
			"no notification of bucket %s asks for %s of every key that rule %s covers", r.Source, route.FailureEvent, r.RuleID)
	}
}

// callers finds credentials that lead nowhere, or into another account.
func (c *checker) callers() {
	if base := c.f.Base; base.Code != "" {
		c.missing(Blocks, base.Account, "caller", "look at the credentials: aws sts get-caller-identity",
			"the base credentials do not work: %s", base.Code)
	}
	for _, caller := range c.f.Callers {
		switch got := accountOf(caller.ARN); {
		case caller.Code != "":
			c.missing(Blocks, caller.Account, "caller", "look at the profile for this account: aws sts get-caller-identity --profile NAME",
				"the credentials for account %s do not work: %s", caller.Account, caller.Code)
		case got != caller.Account:
			c.missing(Blocks, caller.Account, "caller", "name a profile of this account",
				"the credentials for account %s are of %s", caller.Account, caller.ARN)
		}
	}
}

// named is "route a" or "routes a, b and 3 others".
func named(noun string, names []string) string {
	const most = 5
	if len(names) == 1 {
		return noun + " " + names[0]
	}
	out := noun + "s " + strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		out += fmt.Sprintf(" and %d others", len(names)-most)
	}
	return out
}

// roleSeverity is what the lack of a role means for an account.
func (a *account) roleSeverity(role settings.MemberRole) Severity {
	if role == settings.Reader || a.acts && role != settings.CanaryWriter { // without a canary the next object proves a cure
		return Blocks
	}
	return Limits
}
