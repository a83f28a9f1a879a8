package lab_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestFailureEvent holds the event against the published sample, member by member.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
func TestFailureEvent(t *testing.T) {
	w := newWorld()
	w.drop("dst", "ReplicateObject")
	now := today
	w.options.Now = func() time.Time { return now }
	c := w.cloud(t)
	v := put(t, c, "a dir/ü+1.txt", lab.PutOptions{Size: 520080})
	now = now.Add(90 * time.Second)
	replicate(t, c)
	events := c.Events()
	if len(events) != 1 || len(c.Events()) != 0 {
		t.Fatalf("%d events, and then %d; want one, and none left", len(events), len(c.Events()))
	}
	var got object
	if err := json.Unmarshal(events[0], &got); err != nil {
		t.Fatal(err)
	}
	record := got["Records"].([]any)[0].(object)
	entity := record["s3"].(object)["object"].(object)
	for _, opaque := range []string{"eTag", "sequencer"} {
		if s, _ := entity[opaque].(string); len(s) < 16 {
			t.Errorf("%s is %q", opaque, s)
		}
		delete(entity, opaque)
	}
	if r, _ := record["responseElements"].(object); r["x-amz-request-id"] == "" || r["x-amz-id-2"] == "" {
		t.Errorf("responseElements are %v", r)
	}
	delete(record, "responseElements")
	want := object{
		"eventVersion": "2.2", "eventSource": "aws:s3", "awsRegion": regionA, "eventTime": "2026-11-22T12:01:30.000Z",
		"eventName":    "Replication:OperationFailedReplication",
		"userIdentity": object{"principalId": "s3.amazonaws.com"}, "requestParameters": object{"sourceIPAddress": "s3.amazonaws.com"},
		"s3": object{
			"s3SchemaVersion": "1.0", "configurationId": "failures",
			"bucket": object{"name": "src", "ownerIdentity": object{"principalId": accountA}, "arn": "arn:aws:s3:::src"},
			"object": object{"key": "a+dir/%C3%BC%2B1.txt", "size": 520080.0, "versionId": v.VersionID},
		},
		"replicationEventData": object{
			"replicationRuleId": "r1", "destinationBucket": "arn:aws:s3:::dst", "s3Operation": "OBJECT_PUT",
			"requestTime": "2026-11-22T12:00:00.000Z", "failureReason": "DstPutObjectNotPermitted",
		},
	}
	if diff := cmp.Diff(want, record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if key, err := url.QueryUnescape(entity["key"].(string)); err != nil || key != v.Key {
		t.Errorf("the key decodes to %q, %v", key, err)
	}
}

func TestFailureEventOfADeleteMarker(t *testing.T) {
	w := newWorld()
	w.drop("role", "ReplicateDelete")
	c := w.cloud(t)
	if _, err := c.DeleteObject("src", "a/b.txt"); err != nil {
		t.Fatal(err)
	}
	replicate(t, c)
	events := c.Events()
	if len(events) != 1 || !strings.Contains(string(events[0]), `"s3Operation":"DELETE_MARKER"`) {
		t.Errorf("events %s", events)
	}
}

// TestWhoHearsOfAFailure: an event needs the rule's metrics and a notification that asks for it; without both the rule is blind.
func TestWhoHearsOfAFailure(t *testing.T) {
	configured := func(kind string, configuration object) func(*world) {
		return func(w *world) { w.src.Notifications = node(object{kind: []object{configuration}}) }
	}
	filtered := func(name, value string) object {
		rules := []object{{"Name": name, "Value": value}}
		return object{"Id": "f", "Events": []string{"s3:Replication:*"}, "Filter": object{"Key": object{"FilterRules": rules}}}
	}
	for name, row := range map[string]struct {
		edit func(*world)
		want int
	}{
		"metrics and notification": {func(*world) {}, 1},
		"no metrics":               {func(w *world) { w.rules[0].Destination.Metrics = nil }, 0},
		"metrics disabled":         {func(w *world) { w.rules[0].Destination.Metrics.Status = "Disabled" }, 0},
		"no notification":          {func(w *world) { w.src.Notifications = snapshot.None[jsonNode]() }, 0},
		"notification not known":   {func(w *world) { w.src.Notifications = snapshot.Value[jsonNode]{} }, 0},
		"another event":            {func(w *world) { w.src.Notifications = notifications("s3:Replication:OperationMissedThreshold") }, 0},
		"all replication events":   {func(w *world) { w.src.Notifications = notifications("s3:Replication:*") }, 1},
		"EventBridge does not":     {func(w *world) { w.src.Notifications = node(object{"EventBridgeConfiguration": object{}}) }, 0},
		"topic":                    {configured("TopicConfigurations", object{"Id": "t", "Events": []string{"s3:Replication:*"}}), 1},
		"function":                 {configured("LambdaFunctionConfigurations", object{"Id": "l", "Events": []string{"s3:Replication:*"}}), 1},
		"prefix of another key":    {configured("QueueConfigurations", filtered("Prefix", "b/")), 0},
		"prefix of the key":        {configured("QueueConfigurations", filtered("prefix", "a/")), 1},
		"suffix of another key":    {configured("QueueConfigurations", filtered("suffix", ".csv")), 0},
		"suffix of the key":        {configured("QueueConfigurations", filtered("suffix", ".txt")), 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.drop("role", "ReplicateObject")
			row.edit(w)
			c := w.cloud(t)
			v := put(t, c, "a/b.txt", lab.PutOptions{})
			replicate(t, c)
			if got := status(head(t, c, "src", v)); got != "FAILED" {
				t.Fatalf("status %s, want FAILED: it fails whoever hears of it", got)
			}
			if got := len(c.Events()); got != row.want {
				t.Errorf("%d events, want %d", got, row.want)
			}
		})
	}
}

func TestSequencersRise(t *testing.T) {
	w := newWorld()
	w.drop("role", "ReplicateObject")
	c := w.cloud(t)
	last := ""
	for i := range 300 {
		put(t, c, "same", lab.PutOptions{Size: int64(i)})
		replicate(t, c)
		var m struct {
			Records []struct {
				S3 struct {
					Object struct{ Sequencer string }
				}
			}
		}
		if err := json.Unmarshal(c.Events()[0], &m); err != nil {
			t.Fatal(err)
		}
		if next := m.Records[0].S3.Object.Sequencer; next <= last {
			t.Fatalf("sequencer %s after %s", next, last)
		} else {
			last = next
		}
	}
}

func TestFailedIsNotTriedAgain(t *testing.T) {
	w := newWorld()
	w.drop("keyB", "Encrypt")
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{})
	replicate(t, c)
	if got := reasons(t, c); got != "DstPutObjectNotPermitted" {
		t.Fatalf("events %s", got)
	}
	w.add("keyB", allow("Encrypt", role, "kms:Encrypt", "*", nil))
	if err := c.SetPolicy(snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: keyB}, w.document("keyB")); err != nil {
		t.Fatal(err)
	}
	replicate(t, c)
	if got := status(head(t, c, "src", v)) + reasons(t, c); got != "FAILED" {
		t.Fatalf("after the cure: %s", got)
	}
	if err := c.Replay(t.Context(), "src", []snapshot.Object{v}); err != nil {
		t.Fatal(err)
	}
	if got := status(head(t, c, "src", v)); got != "PENDING" {
		t.Fatalf("after the replay: %s", got)
	}
	replicate(t, c)
	if got := status(head(t, c, "src", v)) + status(head(t, c, "dst", v)) + reasons(t, c); got != "COMPLETEDREPLICA" {
		t.Errorf("at last: %s", got)
	}
	if err := c.Replay(t.Context(), "src", []snapshot.Object{v}); err != nil {
		t.Errorf("a replay that comes twice: %v", err)
	}
	if got := status(head(t, c, "src", v)); got != "COMPLETED" {
		t.Errorf("after a replay that comes twice: %s", got)
	}
}

func TestReplayRefuses(t *testing.T) {
	w := newWorld()
	w.dst.Replication = snapshot.Of(snapshot.Replication{Role: role, Rules: []snapshot.Rule{rule("back")}})
	c := w.cloud(t)
	good := put(t, c, "a/b.txt", lab.PutOptions{})
	replicate(t, c)
	w.drop("dst", "ReplicateObject")
	if err := c.SetPolicy(snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: "dst"}, w.document("dst")); err != nil {
		t.Fatal(err)
	}
	failed := put(t, c, "a/b.txt", lab.PutOptions{})
	replicate(t, c)
	archived := put(t, c, "cold", lab.PutOptions{StorageClass: "GLACIER"})
	replica := head(t, c, "dst", good)
	for name, row := range map[string]struct {
		bucket string
		object snapshot.Object
		want   string
	}{
		"unknown bucket":  {"none", failed, "NoSuchBucket"},
		"unknown version": {"src", snapshot.Object{Key: "a/b.txt", VersionID: "none"}, "NoSuchVersion"},
		"no version":      {"src", snapshot.Object{Key: "a/b.txt"}, "InvalidRequest"},
		"replica":         {"dst", replica, "InvalidRequest"},
		"another bucket":  {"src", replica, "InvalidRequest"},
		"not covered":     {"src", archived, "SrcObjectNotEligible"},
	} {
		if err := c.Replay(t.Context(), row.bucket, []snapshot.Object{failed, row.object}); code(err) != row.want {
			t.Errorf("%s: got %v, want %s", name, err, row.want)
		}
	}
	if got := status(head(t, c, "src", failed)); got != "FAILED" {
		t.Errorf("a refused replay made the others %s", got)
	}
}

func TestReplayTakesWhatWasThereBefore(t *testing.T) {
	w := newWorld()
	w.objects = []snapshot.Object{{Bucket: "src", Key: "old", VersionID: "v1"}}
	c := w.cloud(t)
	replicate(t, c)
	if got := status(head(t, c, "src", w.objects[0])); got != "none" {
		t.Fatalf("without a job: %s", got)
	}
	if err := c.Replay(t.Context(), "src", w.objects); err != nil {
		t.Fatal(err)
	}
	replicate(t, c)
	if got := status(head(t, c, "src", w.objects[0])); got != "COMPLETED" {
		t.Errorf("got %s %s", got, reasons(t, c))
	}
}

func TestSnapshotShowsAtMostTenFailures(t *testing.T) {
	w := newWorld()
	w.drop("role", "ReplicateObject")
	c := w.cloud(t)
	for i := range 12 {
		put(t, c, fmt.Sprintf("k%02d", i), lab.PutOptions{})
	}
	replicate(t, c)
	put(t, c, "pending", lab.PutOptions{})
	s := look(t, c)
	if len(s.Objects) != 10 || s.Objects[0].Key != "k02" || s.Objects[9].Key != "k11" {
		t.Errorf("the sample is %v", s.Objects)
	}
	if _, err := c.Snapshot(t.Context(), "none"); code(err) != "NoSuchBucket" {
		t.Errorf("of no bucket: %v", err)
	}
}

// TestSnapshotIsTheWorld: a snapshot obeys the contract, and a cloud made from it behaves as the one that it shows.
func TestSnapshotIsTheWorld(t *testing.T) {
	w := newWorld()
	w.drop("keyB", "Encrypt")
	first := w.cloud(t)
	v := put(t, first, "a/b.txt", lab.PutOptions{Tags: map[string]string{"k": "v"}})
	replicate(t, first)
	s := look(t, first)
	parsed, err := snapshot.Parse([]byte(s.Indent()))
	if err != nil {
		t.Fatal(err)
	}
	second, err := lab.New(parsed, w.options)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Indent(), look(t, second).Indent()); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
	for _, c := range []*lab.Cloud{first, second} {
		if err := c.Put(t.Context(), keyBRef, s.Document(keyBRef), newWorld().document("keyB")); err != nil {
			t.Fatal(err)
		}
		if err := c.Replay(t.Context(), "src", s.Objects); err != nil {
			t.Fatal(err)
		}
		replicate(t, c)
		if got := status(head(t, c, "src", v)); got != "COMPLETED" {
			t.Errorf("got %s %s", got, reasons(t, c))
		}
	}
}

// TestSnapshotIsACopy: what is done to a snapshot is not done to the world, in either direction.
func TestSnapshotIsACopy(t *testing.T) {
	w := newWorld()
	given := w.snapshot()
	c, err := lab.New(given, w.options)
	if err != nil {
		t.Fatal(err)
	}
	before := look(t, c).Indent()
	for _, s := range []*snapshot.Snapshot{given, look(t, c)} {
		s.Roles[arn(role)].V.Inline.V["replication"] = document(allow("S", "", "s3:*", "*", nil))
		s.Buckets["src"].V.Replication.V.Rules[0].ID = "changed"
		delete(s.Keys, arn(keyB))
	}
	if diff := cmp.Diff(before, look(t, c).Indent()); diff != "" {
		t.Errorf("the world changed with its snapshot:\n%s", diff)
	}
	v := put(t, c, "a/b.txt", lab.PutOptions{Tags: map[string]string{"k": "v"}})
	v.Tags.V["k"] = "changed"
	if got := head(t, c, "src", v).Tags.V["k"]; got != "v" {
		t.Errorf("the world's tag changed to %s", got)
	}
}

func look(t *testing.T, c *lab.Cloud) *snapshot.Snapshot {
	t.Helper()
	s, err := c.Snapshot(t.Context(), "src")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
