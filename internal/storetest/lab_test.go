package storetest_test

import (
	"context"
	"testing"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
	"github.com/replimend/replimend/internal/storetest"
)

const (
	account = "111122223333"
	role    = "arn:aws:iam::111122223333:role/service-role/replication"
	key     = "arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-1111-1111-111111111111"
	bucket  = "example-destination"
)

// inLab is the lab's store behind the port.
type inLab struct{ cloud *lab.Cloud }

func (s inLab) Put(ctx context.Context, _ incident.Authority, e patch.Edit) error {
	return s.cloud.Put(ctx, e.Document, e.Before, e.After)
}

func TestLab(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		cloud, err := lab.New(world(t), lab.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return storetest.Subject{
			Store: inLab{cloud}, Role: role, Account: account,
			Documents: []snapshot.Ref{
				{Kind: snapshot.RolePolicy, ID: role, Name: "Replimend"},
				{Kind: snapshot.RoleTrust, ID: role},
				{Kind: snapshot.KeyPolicy, ID: key},
				{Kind: snapshot.BucketPolicy, ID: bucket},
			},
			Nowhere: []snapshot.Ref{
				{Kind: snapshot.RolePolicy, ID: role + "-2", Name: "Replimend"},
				{Kind: snapshot.RoleTrust, ID: role + "-2"},
				{Kind: snapshot.KeyPolicy, ID: key + "2"},
				{Kind: snapshot.BucketPolicy, ID: bucket + "-2"},
			},
			Set: func(t *testing.T, ref snapshot.Ref, d snapshot.Value[policy.Document]) {
				if err := cloud.SetPolicy(ref, d); err != nil {
					t.Fatal(err)
				}
			},
			Read: func(t *testing.T, ref snapshot.Ref) snapshot.Value[policy.Document] {
				s, err := cloud.Snapshot(context.WithoutCancel(t.Context()), bucket)
				if err != nil {
					t.Fatal(err)
				}
				return s.Document(ref)
			},
		}
	})
}

func world(t *testing.T) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Parse([]byte(`{"schema": "replimend/snapshot/v1",
		"buckets": {"` + bucket + `": {"account": "` + account + `", "region": "eu-west-1"}},
		"roles": {"` + role + `": {"trust": {"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}},
		"keys": {"` + key + `": {"policy": {"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::` + account + `:root"}, "Action": "kms:*", "Resource": "*"}]}}}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
