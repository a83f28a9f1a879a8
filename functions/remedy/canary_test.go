package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
)

// TestCanary: nothing is left that could be replayed, and the route opted in. The compiled worker writes an object, sees S3 replicate it,
// and removes it.
func TestCanary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text, err := os.ReadFile(filepath.Join(w.dir, "replimend.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("replimend.yaml", strings.Replace(string(text), "allow: {noBoundary: true}", "allow: {noBoundary: true, canary: true}", 1))
	w.batch.SetStatus(mototest.Version{Bucket: w.route.Source, Key: w.route.Key, ID: w.route.Version}, "COMPLETED") // somebody copied it
	failure, worker := w.start("../failure"), w.start(".")
	w.Send(w.Events, w.event(w.route.Key, w.route.Version))
	w.drain(w.Events, failure)
	w.Pump(w.Work, worker)
	i := w.incident()
	if i.Outcome != incident.Applied || i.Canary == nil || i.Canary.State != incident.TrialWritten {
		t.Fatalf("outcome %s, canary %+v\n%s\n%s", i.Outcome, i.Canary, story(i), worker.Stop())
	}
	canary := mototest.Version{Bucket: w.route.Source, Key: i.Canary.Key, ID: i.Canary.VersionID}
	client := s3.NewFromConfig(mototest.Start(t).Config(t, w.route.SourceAccount, "us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	there := func() bool {
		_, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{
			Bucket: aws.String(canary.Bucket), Key: aws.String(canary.Key), VersionId: aws.String(canary.ID),
		})
		return err == nil
	}
	if !there() || canary.Key != "replimend-canary/"+i.ID {
		t.Fatalf("no object %+v", canary)
	}
	w.Send(w.Events, w.event(canary.Key, canary.ID)) // what S3 says of it is nobody's failure
	w.drain(w.Events, failure)
	w.batch.SetStatus(canary, "COMPLETED")
	w.Pump(w.Work, worker)
	i = w.incident()
	if n, _ := i.Failures.Count(); i.Outcome != incident.Resolved || i.Canary.State != incident.TrialRemoved || there() || n != 1 {
		t.Errorf("outcome %s, canary %+v, there %t, %d failures\n%s\n%s", i.Outcome, i.Canary, there(), n, story(i), worker.Stop())
	}
	if all, _ := w.Pump(w.Work, worker); all > 0 || w.batch.Calls("CreateJob") > 0 {
		t.Errorf("%d messages are left, %d jobs", all, w.batch.Calls("CreateJob"))
	}
}
