package route_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// notifications is a generator of entries whose filters are so short that all keys they could tell apart can be counted.
var notifications = rapid.Custom(func(t *rapid.T) route.Notification {
	text := rapid.StringMatching(`[ab]{0,2}`)
	return route.Notification{
		Prefix: text.Draw(t, "prefix"), Suffix: text.Draw(t, "suffix"),
		Events: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
			"s3:Replication:*", "s3:Replication:OperationFailedReplication", "s3:Replication:OperationNotTracked", "s3:ObjectCreated:*", "s3:ObjectCreated:Put",
		}), 1, 3, rapid.ID[string]).Draw(t, "events"),
	}
})

// TestOverlapIsAnObjectAndAnEventThatBothWant: two entries overlap exactly where some event on some key would go to both.
func TestOverlapIsAnObjectAndAnEventThatBothWant(t *testing.T) {
	t.Parallel()
	keys := []string{""}
	for i := 0; len(keys[i]) < 4; i++ {
		keys = append(keys, keys[i]+"a", keys[i]+"b")
	}
	events := []string{
		"s3:Replication:OperationFailedReplication", "s3:Replication:OperationNotTracked",
		"s3:ObjectCreated:Put", "s3:ObjectCreated:Copy",
	}
	wants := func(n route.Notification, key, event string) bool {
		return n.Asks(event) && strings.HasPrefix(key, n.Prefix) && strings.HasSuffix(key, n.Suffix)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := notifications.Draw(t, "a"), notifications.Draw(t, "b")
		both := false
		for _, key := range keys {
			for _, event := range events {
				both = both || wants(a, key, event) && wants(b, key, event)
			}
		}
		if got := len(a.Overlaps(b)) > 0; got != both {
			t.Fatalf("%+v and %+v overlap: %t, want %t", a, b, got, both)
		}
		if ab, ba := len(a.Overlaps(b)) > 0, len(b.Overlaps(a)) > 0; ab != ba {
			t.Fatalf("%+v and %+v overlap one way only", a, b)
		}
	})
}

func TestToldHeedsFilters(t *testing.T) {
	t.Parallel()
	const failed = `"TopicArn": "arn:aws:sns:us-east-1:111122223333:t", "Events": ["s3:Replication:OperationFailedReplication"]`
	filter := func(rules string) string { return `, "Filter": {"Key": {"FilterRules": [` + rules + `]}}` }
	tests := map[string]struct {
		configuration string
		want          bool
	}{
		"nothing":                {`{}`, false},
		"every key":              {`{"TopicConfigurations": [{` + failed + `}]}`, true},
		"by a star, a function":  {`{"LambdaFunctionConfigurations": [{"LambdaFunctionArn": "f", "Events": ["s3:Replication:*"]}]}`, true},
		"another event":          {`{"QueueConfigurations": [{"QueueArn": "q", "Events": ["s3:Replication:OperationNotTracked", "s3:ObjectCreated:*"]}]}`, false},
		"the rule's prefix":      {`{"TopicConfigurations": [{` + failed + filter(`{"Name": "Prefix", "Value": "led"}`) + `}]}`, true},
		"an encoded prefix":      {`{"TopicConfigurations": [{` + failed + filter(`{"Name": "prefix", "Value": "ledger+20%32"}`) + `}]}`, true},
		"a part of the keys":     {`{"TopicConfigurations": [{` + failed + filter(`{"Name": "prefix", "Value": "ledger+2026/"}`) + `}]}`, false},
		"other keys":             {`{"TopicConfigurations": [{` + failed + filter(`{"Name": "prefix", "Value": "x"}`) + `}]}`, false},
		"keys that end somehow":  {`{"TopicConfigurations": [{` + failed + filter(`{"Name": "suffix", "Value": ".csv"}`) + `}]}`, false},
		"EventBridge carries no": {`{"EventBridgeConfiguration": {}}`, false},
	}
	prefix := "ledger 202"
	r := route.Route{Rule: snapshot.Rule{Prefix: &prefix}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, err := jsontree.Parse([]byte(tt.configuration), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Told(n, route.FailureEvent); got != tt.want {
				t.Errorf("told %t, want %t", got, tt.want)
			}
		})
	}
}
