package awscloud_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/snapshot"
	"github.com/replimend/replimend/internal/storetest"
)

// TestStores runs the suite of every store against moto.
func TestStores(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		w := newStoreWorld(t)
		known := func(bucket string) (string, string, bool) {
			return w.member, storeRegion, strings.HasPrefix(bucket, w.bucket)
		}
		return storetest.Subject{
			Store: w.writer(t, "", awscloud.WriteOptions{Trust: true, Owner: known}), By: storeApproved,
			Documents: w.documents(), Role: w.role, Account: w.member,
			Nowhere: []snapshot.Ref{
				{Kind: snapshot.RolePolicy, ID: w.role + "-2", Name: "Replimend"},
				{Kind: snapshot.RoleTrust, ID: w.role + "-2"},
				{Kind: snapshot.KeyPolicy, ID: w.key + "0"},
				{Kind: snapshot.BucketPolicy, ID: w.bucket + "-2"},
			},
			Sequences: 12,
			Set:       w.set, Read: w.read,
		}
	})
}
