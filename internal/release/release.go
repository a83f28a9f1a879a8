// Package release builds functions and makes the zips that are deployed. The same sources and files make the same bytes, wherever and
// whenever they are built, so that a deployment without a change changes nothing.
package release

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/replimend/replimend/internal/settings"
)

// The names in a zip: Lambda starts Bootstrap, which finds Settings beside it.
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
const (
	Bootstrap = "bootstrap"
	Settings  = settings.File
)

// Arch is the architecture that functions are deployed for.
const Arch = "arm64"

// Build compiles the package in a folder for Linux on an architecture. Neither where nor when it is built gets into the program, nor from
// which commit: that would change what is deployed without a change of what it does. The error has what the compiler says.
//
// Inlining is off in the SDK and in the standard library: it makes a zip a fifth larger, and what they do takes as long as AWS takes to
// answer. Replimend's own packages keep it.
func Build(ctx context.Context, folder, arch string) ([]byte, error) {
	out, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	program := filepath.Join(out, Bootstrap)
	cmd := exec.CommandContext(
		ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-gcflags", "github.com/aws/...=-l", "-gcflags", "std=-l",
		"-ldflags", "-s -w -buildid=", "-o", program, ".",
	)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", folder, err, said)
	}
	return os.ReadFile(program)
}

// Zip is a program with its settings, as Lambda takes them.
func Zip(program, settings []byte) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, e := range []struct {
		name    string
		mode    os.FileMode
		content []byte
	}{{Bootstrap, 0o755, program}, {Settings, 0o644, settings}} {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: epoch}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// epoch is the time of every entry: the first that a zip can say.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
