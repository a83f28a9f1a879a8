package affected_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/affected"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
)

const (
	here, there = "111122223333", "444455556666"
	sourceKey   = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	replicaKey  = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-0987654321ab"
	backKey     = "arn:aws:kms:eu-west-1:444455556666:key/mrk-0123456789abcdef0123456789abcdef"
)

func arn(t *testing.T, s string) policy.ARN {
	t.Helper()
	a, err := policy.ParseARN(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// approved is two routes in opposite directions, whose roles have one name, and one within an account without any key.
func approved(t *testing.T) *settings.Settings {
	t.Helper()
	return &settings.Settings{Routes: []settings.ApprovedRoute{
		{
			Name: "out", Source: settings.Bucket{Bucket: "ledger", Account: here, Region: "us-east-1"},
			Destination: settings.Bucket{Bucket: "ledger-dr", Account: there, Region: "eu-west-1"},
			Role:        settings.Role{ARN: arn(t, "arn:aws:iam::"+here+":role/service-role/replication")},
			SourceKeys:  []policy.ARN{arn(t, sourceKey)}, ReplicaKey: arn(t, replicaKey),
		},
		{
			Name: "back", Source: settings.Bucket{Bucket: "orders", Account: there, Region: "eu-west-1"},
			Destination: settings.Bucket{Bucket: "orders-dr", Account: here, Region: "us-east-1"},
			Role:        settings.Role{ARN: arn(t, "arn:aws:iam::"+there+":role/replication")},
			SourceKeys:  []policy.ARN{arn(t, backKey)}, ReplicaKey: arn(t, sourceKey),
		},
		{
			Name: "home", Source: settings.Bucket{Bucket: "logs", Account: here, Region: "us-east-1"},
			Destination: settings.Bucket{Bucket: "logs-dr", Account: here, Region: "eu-west-1"},
			Role:        settings.Role{ARN: arn(t, "arn:aws:iam::"+here+":role/logs-replication")},
		},
	}}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	s3 := func(bucket string) signal.Change {
		return signal.Change{Source: "s3.amazonaws.com", Account: here, Region: "us-east-1", Bucket: bucket}
	}
	iam := func(account, role, managed string) signal.Change {
		return signal.Change{Source: "iam.amazonaws.com", Account: account, Region: "us-east-1", Role: role, Policy: managed}
	}
	kms := func(account, region, key string) signal.Change {
		return signal.Change{Source: "kms.amazonaws.com", Event: "PutKeyPolicy", Account: account, Region: region, Key: key}
	}
	alias := func(event, account, region, key string) signal.Change {
		return signal.Change{Source: "kms.amazonaws.com", Event: event, Account: account, Region: region, Key: key, Alias: "alias/replicas"}
	}
	organization := func(target string) signal.Change {
		return signal.Change{Source: "organizations.amazonaws.com", Account: "999999999999", Region: "us-east-1", Target: target}
	}
	for name, tt := range map[string]struct {
		change signal.Change
		want   string
	}{
		"source bucket":                             {s3("ledger"), "out"},
		"destination bucket, recorded elsewhere":    {s3("ledger-dr"), "out"},
		"near miss: bucket that begins alike":       {s3("ledger-d"), ""},
		"all buckets of an account":                 {s3(""), "out back home"},
		"near miss: all buckets of another account": {signal.Change{Source: "s3.amazonaws.com", Account: "999999999999"}, ""},

		"role":                                    {iam(here, "replication", ""), "out"},
		"role of the same name elsewhere":         {iam(there, "replication", ""), "back"},
		"role, and nobody says where":             {iam("", "replication", ""), "out back"},
		"near miss: role of another account":      {iam("999999999999", "replication", ""), ""},
		"near miss: role that ends alike":         {iam(here, "x-replication", ""), ""},
		"role with a policy of AWS":               {iam(here, "replication", "arn:aws:iam::aws:policy/AmazonS3FullAccess"), "out"},
		"managed policy":                          {iam(here, "", "arn:aws:iam::"+here+":policy/x"), "out home"},
		"near miss: managed policy of no account": {iam("999999999999", "", "arn:aws:iam::999999999999:policy/x"), ""},

		"key by ARN":                                {kms(here, "us-east-1", sourceKey), "out back"},
		"key by ARN, whatever the record says":      {kms("999999999999", "ap-south-1", replicaKey), "out"},
		"key by id":                                 {kms(there, "eu-west-1", "1234abcd-12ab-34cd-56ef-0987654321ab"), "out"},
		"multi-Region key by id":                    {kms(there, "eu-west-1", "mrk-0123456789abcdef0123456789abcdef"), "back"},
		"near miss: multi-Region key elsewhere":     {kms(there, "us-east-1", "mrk-0123456789abcdef0123456789abcdef"), ""},
		"near miss: key of another account":         {kms(here, "eu-west-1", "1234abcd-12ab-34cd-56ef-0987654321ab"), ""},
		"near miss: another key":                    {kms(there, "eu-west-1", "00000000-12ab-34cd-56ef-0987654321ab"), ""},
		"near miss: ARN of another key":             {kms(there, "eu-west-1", "arn:aws:kms:eu-west-1:444455556666:key/0"), ""},
		"no key":                                    {kms(there, "eu-west-1", ""), "out back"},
		"near miss: no key, another Region":         {kms(there, "us-east-1", ""), ""},
		"alias that is made for a key":              {alias("CreateAlias", there, "eu-west-1", replicaKey), "out"},
		"near miss: alias for another key":          {alias("CreateAlias", there, "eu-west-1", "arn:aws:kms:eu-west-1:444455556666:key/0"), ""},
		"alias that is moved: its key was any":      {alias("UpdateAlias", there, "eu-west-1", "arn:aws:kms:eu-west-1:444455556666:key/0"), "out back"},
		"near miss: alias moved in another account": {alias("UpdateAlias", here, "eu-west-1", "arn:aws:kms:eu-west-1:111122223333:key/0"), ""},
		"alias that is gone":                        {alias("DeleteAlias", there, "eu-west-1", ""), "out back"},

		"organization: an account":            {organization(there), "out back"},
		"organization: an account of none":    {organization("999999999999"), ""},
		"organization: a unit":                {organization("ou-ab12-cdefgh34"), "out back home"},
		"organization: a policy":              {organization("p-abcd1234"), "out back home"},
		"organization: nothing, when leaving": {organization(""), "out back home"},
	} {
		var got []string
		for _, r := range affected.Routes(tt.change, approved(t)) {
			got = append(got, r.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
	if got := affected.Routes(s3("ledger"), &settings.Settings{}); len(got) > 0 {
		t.Errorf("without settings: %v", got)
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	set := approved(t)
	twin := set.Routes[0]
	twin.Name, twin.SourceKeys, twin.ReplicaKey = "twin", nil, arn(t, backKey)
	set.Routes = append(set.Routes, twin)
	for name, tt := range map[string]struct {
		denial signal.Denial
		want   string
	}{
		"key of one route of the role":              {signal.Denial{Account: here, Role: "replication", Key: sourceKey}, "out"},
		"replica key of the other":                  {signal.Denial{Account: here, Role: "replication", Key: backKey}, "twin"},
		"key of none of them":                       {signal.Denial{Account: here, Role: "replication", Key: sourceKey + "0"}, "out twin"},
		"role of the same name in another account":  {signal.Denial{Account: there, Role: "replication", Key: backKey}, "back"},
		"near miss: role of a third account":        {signal.Denial{Account: "999999999999", Role: "replication", Key: sourceKey}, ""},
		"near miss: role that begins alike":         {signal.Denial{Account: here, Role: "replicatio", Key: sourceKey}, ""},
		"near miss: another role that uses the key": {signal.Denial{Account: here, Role: "backup", Key: sourceKey}, ""},
	} {
		var got []string
		for _, r := range affected.Denied(tt.denial, set) {
			got = append(got, r.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
