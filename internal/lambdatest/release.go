package lambdatest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Release compiles the function in a folder for an architecture, such as arm64, exactly as it is deployed.
//
// Inlining is off in the SDK and in the standard library: it makes a zip a fifth larger, and what they do takes as long as AWS takes to
// answer. Replimend's own packages keep it.
func Release(t testing.TB, dir, arch string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-trimpath", "-gcflags", "github.com/aws/...=-l", "-gcflags", "std=-l",
		"-ldflags", "-s -w", "-o", binary, dir)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	watchSources(t.Context(), t, dir)
	return binary
}

// Zipped is the size in bytes of the binary as it is uploaded.
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func Zipped(t testing.TB, binary string) int {
	t.Helper()
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	file, err := archive.CreateHeader(header)
	if err == nil {
		_, err = file.Write(data)
	}
	if err == nil {
		err = archive.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Len()
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
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
