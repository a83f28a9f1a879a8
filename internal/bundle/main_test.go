package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestZipsAreReproducible: built twice, in different places, each with settings of another age, a zip is the same.
func TestZipsAreReproducible(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 2 {
		folder := t.TempDir()
		settings := filepath.Join(folder, "other-name.yaml")
		example, err := os.ReadFile("../../docs/examples/replimend.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(settings, example, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := bundle(t.Context(), settings, folder, []string{"../../functions/failure"}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folder, "failure.zip"))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Error("the second zip differs from the first")
		}
	}
	archive, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		name string
		mode os.FileMode
	}{{"bootstrap", 0o755}, {"replimend.yaml", 0o644}}
	if len(archive.File) != len(want) {
		t.Fatalf("%d files, want %d", len(archive.File), len(want))
	}
	for i, f := range archive.File {
		if f.Name != want[i].name || f.Mode() != want[i].mode {
			t.Errorf("%s %v, want %s %v", f.Name, f.Mode(), want[i].name, want[i].mode)
		}
	}
	program, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 20)
	if _, err := io.ReadFull(program, head); err != nil {
		t.Fatal(err)
	}
	// https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html: e_machine 183 is AArch64.
	if !bytes.HasPrefix(head, []byte("\x7fELF")) || head[18] != 183 {
		t.Errorf("bootstrap is no program for arm64: % x", head)
	}
}

// TestFaultsComeFirst: settings with a fault are told of at once, and nothing is built with them.
func TestFaultsComeFirst(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	settings := filepath.Join(folder, "replimend.yaml")
	if err := os.WriteFile(settings, []byte("version: 1\nmembers: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := bundle(t.Context(), settings, filepath.Join(folder, "out"), []string{"../../functions/failure"})
	for _, want := range []string{settings + ":1:1: routes is missing", settings + ":2:10: members: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "out")); !os.IsNotExist(err) {
		t.Errorf("something was made: %v", err)
	}
}
