package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lambdatest"
	"github.com/replimend/replimend/internal/mototest"
)

// TestCanary: nothing is left that could be replayed, and the route opted in. The compiled worker writes an object, sees S3 replicate it,
// and removes it.
func TestCanary(t *testing.T) {
	t.Parallel()
	w := lambdatest.NewWorld(t)
	settings := w.Settings(w.Approved("ledger", w.Route.Source))
	w.Configure(strings.Replace(settings, "allow: {noBoundary: true}", "allow: {noBoundary: true, canary: true}", 1))
	w.Batch.SetStatus(mototest.Version{Bucket: w.Route.Source, Key: w.Route.Key, ID: w.Route.Version}, "COMPLETED") // somebody copied it
	failure, worker := w.Start("../failure"), w.Start(".")
	w.Send(w.Events, w.Failed(w.Route.Key, w.Route.Version))
	w.Drain(w.Events, failure)
	w.Pump(w.Work, worker)
	i := w.Incident()
	if i.Outcome != incident.Applied || i.Canary == nil || i.Canary.State != incident.TrialWritten {
		t.Fatalf("outcome %s, canary %+v\n%s\n%s", i.Outcome, i.Canary, story(i), worker.Stop())
	}
	canary := mototest.Version{Bucket: w.Route.Source, Key: i.Canary.Key, ID: i.Canary.VersionID}
	client := s3.NewFromConfig(w.Server.Config(t, w.Route.SourceAccount, "us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	there := func() bool {
		_, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{
			Bucket: aws.String(canary.Bucket), Key: aws.String(canary.Key), VersionId: aws.String(canary.ID),
		})
		return err == nil
	}
	if !there() || canary.Key != "replimend-canary/"+i.ID {
		t.Fatalf("no object %+v", canary)
	}
	w.Send(w.Events, w.Failed(canary.Key, canary.ID)) // what S3 says of it is nobody's failure
	w.Drain(w.Events, failure)
	w.Batch.SetStatus(canary, "COMPLETED")
	w.Pump(w.Work, worker)
	i = w.Incident()
	if n, _ := i.Failures.Count(); i.Outcome != incident.Resolved || i.Canary.State != incident.TrialRemoved || there() || n != 1 {
		t.Errorf("outcome %s, canary %+v, there %t, %d failures\n%s\n%s", i.Outcome, i.Canary, there(), n, story(i), worker.Stop())
	}
	w.Calls.All(t, string(grants.Failure))
	if all, _ := w.Pump(w.Work, worker); all > 0 || w.Batch.Calls("CreateJob") > 0 {
		t.Errorf("%d messages are left, %d jobs", all, w.Batch.Calls("CreateJob"))
	}
}
