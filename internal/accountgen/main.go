// Command accountgen writes the example of a whole account: 200 routes that share ten roles and twenty keys, some of them ill in
// the ways that accounts are. It is run by go generate alone; nobody imports it and nothing ships it.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/replimend/replimend/internal/snapshot"
)

//go:generate go run . ../../docs/examples/account-with-200-routes.json

const (
	here  = "111122223333"
	there = "444455556666"
	teams = 10
	each  = 20 // routes of a team
)

// The ills of the account. A whole team shares a role and keys, so that one missing statement fells all its routes.
const (
	teamWithoutKeyPolicy = 1 // the replica key's policy does not name the team's role
	teamWithoutDecrypt   = 2 // the role may not decrypt with the team's key
	teamWithoutMetrics   = 5 // every fourth rule has no metrics
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: accountgen FILE")
		os.Exit(2)
	}
	text, err := example()
	if err == nil {
		err = os.WriteFile(os.Args[1], append(text, '\n'), 0o644)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "accountgen: %v\n", err)
		os.Exit(1)
	}
}

// example is the account as a snapshot is printed, on one line: indented it would be three times as long.
func example() ([]byte, error) {
	text, err := json.Marshal(account())
	if err != nil {
		return nil, err
	}
	s, err := snapshot.Parse(text)
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

type tree = map[string]any

func account() tree {
	buckets, roles, keys := tree{}, tree{}, tree{}
	none := tree{"scps": []any{}, "rcps": []any{}}
	for team := range teams {
		role := fmt.Sprintf("arn:aws:iam::%s:role/replication/team-%02d", here, team)
		sourceKey := keyARN("us-east-1", here, 2*team)
		replicaKey := keyARN("eu-west-1", there, 2*team+1)
		keys[sourceKey] = key(here, "")
		keys[replicaKey] = key(there, role)
		if team == teamWithoutKeyPolicy {
			keys[replicaKey] = key(there, "")
		}
		roles[role] = teamRole(team, sourceKey, replicaKey)
		for i := range each {
			source, destination := fmt.Sprintf("team-%02d-data-%02d", team, i), fmt.Sprintf("team-%02d-backup-%02d", team, i)
			buckets[source] = bucket(here, "us-east-1", sourceKey, nil, tree{"Role": role, "Rules": []any{rule(team, i, destination, replicaKey)}})
			buckets[destination] = bucket(there, "eu-west-1", "", document(allow("AllowReplication", writing, "arn:aws:s3:::"+destination+"/*", role)), nil)
		}
	}
	buckets["team-06-backup-03"].(tree)["versioning"] = "Suspended"
	return tree{
		"schema": "replimend/snapshot/v1", "takenAt": "2026-11-22T00:00:00Z",
		"organization": tree{"id": "o-exampleorgid", "accounts": []string{here, there}},
		"buckets":      buckets, "roles": roles, "keys": keys, "guardrails": tree{here: none, there: none},
	}
}

var writing = []string{"s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"}

func keyARN(region, account string, n int) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:key/1234abcd-12ab-34cd-56ef-%012d", region, account, n)
}

func document(statements ...tree) tree { return tree{"Version": "2012-10-17", "Statement": statements} }

func allow(sid string, actions []string, resource, principal string) tree {
	s := tree{"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
	if principal != "" {
		s["Principal"] = tree{"AWS": principal}
	}
	return s
}

// key has a policy that delegates to its account and, where one is given, names a role.
func key(account, role string) tree {
	statements := []tree{allow("Enable IAM User Permissions", []string{"kms:*"}, "*", "arn:aws:iam::"+account+":root")}
	if role != "" {
		statements = append(statements, allow("AllowReplication", []string{"kms:Encrypt", "kms:GenerateDataKey"}, "*", role))
	}
	return tree{
		"state": "Enabled", "manager": "CUSTOMER", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "multiRegion": false,
		"policy": document(statements...), "grants": []any{}, "aliases": []any{}, "tags": tree{},
	}
}

func teamRole(team int, sourceKey, replicaKey string) tree {
	prefix := fmt.Sprintf("arn:aws:s3:::team-%02d-", team)
	statements := []tree{
		allow("ReadSource", []string{"s3:GetReplicationConfiguration", "s3:ListBucket"}, prefix+"data-*", ""),
		allow("ReadObjects", []string{"s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"}, prefix+"data-*/*", ""),
		allow("WriteReplicas", writing, prefix+"backup-*/*", ""),
		through(allow("EncryptReplica", []string{"kms:Encrypt", "kms:GenerateDataKey"}, replicaKey, ""), "eu-west-1"),
	}
	if team != teamWithoutDecrypt {
		statements = append(statements, through(allow("DecryptSource", []string{"kms:Decrypt"}, sourceKey, ""), "us-east-1"))
	}
	trust := tree{"Effect": "Allow", "Principal": tree{"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
	return tree{
		"uniqueId": fmt.Sprintf("AROAEXAMPLE%09d", team), "trust": document(trust), "inline": tree{"replication": document(statements...)},
		"attached": tree{}, "boundary": nil, "tags": tree{},
	}
}

func through(s tree, region string) tree {
	s["Condition"] = tree{"StringEquals": tree{"kms:ViaService": "s3." + region + ".amazonaws.com"}}
	return s
}

func rule(team, i int, destination, replicaKey string) tree {
	on := tree{"Status": "Enabled"}
	to := tree{
		"Bucket": "arn:aws:s3:::" + destination, "Account": there, "AccessControlTranslation": tree{"Owner": "Destination"},
		"EncryptionConfiguration": tree{"ReplicaKmsKeyID": replicaKey}, "Metrics": on,
	}
	if team == teamWithoutMetrics && i%4 == 0 {
		delete(to, "Metrics")
	}
	out := tree{
		"ID": "backup", "Priority": 1, "Status": "Enabled", "Filter": tree{"Prefix": ""}, "DeleteMarkerReplication": tree{"Status": "Disabled"},
		"SourceSelectionCriteria": tree{"SseKmsEncryptedObjects": on}, "Destination": to,
	}
	if team == 4 && i == 7 {
		delete(out, "SourceSelectionCriteria")
	}
	return out
}

// bucket is encrypted with a key, or with SSE-S3 without one.
func bucket(account, region, key string, policy, replication tree) tree {
	encryption := tree{"SSEAlgorithm": "AES256"}
	notifications := tree{}
	if key != "" {
		encryption = tree{"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
		notifications["QueueConfigurations"] = []tree{{
			"Id": "failures", "QueueArn": "arn:aws:sqs:" + region + ":" + account + ":failures", "Events": []string{"s3:Replication:OperationFailedReplication"},
		}}
	}
	out := tree{
		"account": account, "region": region, "versioning": "Enabled", "replication": nil, "policy": nil, "ownership": "BucketOwnerEnforced",
		"encryption":        tree{"Rules": []tree{{"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": false}}},
		"publicAccessBlock": nil, "objectLock": nil, "requestPayer": "BucketOwner", "notifications": notifications, "tags": tree{},
	}
	if policy != nil {
		out["policy"] = policy
	}
	if replication != nil {
		out["replication"] = replication
	}
	return out
}
