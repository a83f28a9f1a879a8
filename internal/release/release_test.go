package release_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/release"
)

// TestReproducible: the same sources in two folders are the same zip, although the program says where it was built if anybody lets it.
func TestReproducible(t *testing.T) {
	t.Parallel()
	var zips [2][]byte
	for n := range zips {
		folder := t.TempDir()
		for name, text := range map[string]string{
			"go.mod":  "module example.org/function\n\ngo 1.24\n",
			"main.go": "package main\n\nimport \"runtime\"\n\nfunc main() {\n\t_, file, _, _ := runtime.Caller(0)\n\tprintln(file)\n}\n",
		} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		program, err := release.Build(t.Context(), folder, release.Arch)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(program, []byte(folder)) {
			t.Error("the program knows where it was built")
		}
		if zips[n], err = release.Zip(program, []byte("version: 1\n")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("the second zip differs from the first")
	}
}

// TestBuildFails: the error says what the compiler does.
func TestBuildFails(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module example.org/function\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte("package main\n\nfunc main() { nobody() }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := release.Build(t.Context(), folder, release.Arch); err == nil || !strings.Contains(err.Error(), "undefined: nobody") {
		t.Errorf("the error is %v", err)
	}
}
