package lambdatest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/replimend/replimend/internal/release"
)

// Release compiles the function in a folder for an architecture, such as arm64, exactly as it is deployed.
func Release(t testing.TB, dir, arch string) (binary string) {
	t.Helper()
	program, err := release.Build(t.Context(), dir, arch)
	if err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(t.TempDir(), release.Bootstrap)
	if err := os.WriteFile(binary, program, 0o700); err != nil {
		t.Fatal(err)
	}
	watchSources(t.Context(), t, dir)
	return binary
}

// Zipped is the size in bytes of the binary as it is uploaded, with the settings of a file.
func Zipped(t testing.TB, binary, settings string) int {
	t.Helper()
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := release.Zip(program, file)
	if err != nil {
		t.Fatal(err)
	}
	return len(zip)
}

// Settings writes settings that approve one route, for a function that only has to start.
func Settings(t testing.TB) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "replimend.yaml")
	const text = `version: 1
routes:
  - name: ledger
    mode: automatic
    source: {bucket: example-source, account: "111122223333", region: us-east-1}
    destination: {bucket: example-destination, account: "444455556666", region: eu-west-1}
    rule: {id: everything, kmsObjects: true}
    role: {arn: "arn:aws:iam::111122223333:role/replication", uniqueId: AROAEXAMPLEEXAMPLE, trust: [s3.amazonaws.com]}
    sourceKeys: ["arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
    replicaKey: "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    allow: {noBoundary: true}
members:
  - {account: "111122223333", regions: [us-east-1]}
  - {account: "444455556666", regions: [eu-west-1]}
approvals:
  approvers: ["arn:aws:iam::111122223333:role/oncall"]
  slack: {secret: "arn:aws:secretsmanager:us-east-1:111122223333:secret:signing-AbCdEf", team: T0123ABCD}
  page: {secret: "arn:aws:secretsmanager:us-east-1:111122223333:secret:page-AbCdEf", issuer: "https://login.example.com", client: replimend}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
