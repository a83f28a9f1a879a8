// Command bundle builds functions and makes the zips that are deployed: each with the program, named bootstrap, and the settings beside
// it. The same sources and settings make the same bytes, wherever and whenever they are built, so that a deployment without a change
// changes nothing.
//
//	bundle SETTINGS FOLDER functions/failure functions/remedy …
package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: bundle SETTINGS FOLDER PACKAGE…")
		os.Exit(2)
	}
	if err := bundle(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// bundle makes FOLDER/NAME.zip of each package, where NAME is the last part of its path.
func bundle(settings, folder string, packages []string) error {
	file, err := os.ReadFile(settings)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, pkg := range packages {
		program, err := build(pkg)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := pack(&out, entry{"bootstrap", 0o755, program}, entry{"replimend.yaml", 0o644, file}); err != nil {
			return fmt.Errorf("pack %s: %w", pkg, err)
		}
		name := filepath.Join(folder, filepath.Base(pkg)+".zip")
		if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d KB\n", name, out.Len()/1024)
	}
	return nil
}

// build compiles a function for arm64 and provided.al2023. Neither where nor when it is built gets into the program, nor from which
// commit: that would change what is deployed without a change of what it does.
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func build(pkg string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "bundle-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "bootstrap")
	if !filepath.IsAbs(pkg) {
		pkg = "./" + filepath.ToSlash(filepath.Clean(pkg))
	}
	cmd := exec.Command(
		"go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", program, pkg,
	)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("build %s: %w", pkg, err)
	}
	return os.ReadFile(program)
}

type entry struct {
	name    string
	mode    os.FileMode
	content []byte
}

// epoch is the time of every entry: the first that a zip can say.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// pack writes a zip of the entries, in their order.
func pack(to io.Writer, entries ...entry) error {
	w := zip.NewWriter(to)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: epoch}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := f.Write(e.content); err != nil {
			return err
		}
	}
	return w.Close()
}
