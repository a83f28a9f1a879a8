// Command causegen writes the index of docs/causes from the catalogue of causes, and the table of failure reasons from that of the code, so
// that they cannot drift apart. It is run by go generate alone; nobody imports it and nothing ships it.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/replimend/replimend/internal/diagnose"
)

//go:generate go run . ../../docs

func main() {
	var err error
	switch {
	case len(os.Args) == 2:
		err = writeFiles(os.Args[1])
	case len(os.Args) == 4 && os.Args[1] == "snippets":
		err = writeSnippets(os.Args[2], os.Args[3])
	default:
		fmt.Fprintln(os.Stderr, "usage: causegen DOCS | causegen snippets PAGES DIRECTORY")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "causegen: %v\n", err)
		os.Exit(1)
	}
}

func writeFiles(docs string) error {
	for name, text := range files() {
		if err := os.WriteFile(filepath.Join(docs, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files is what is written, by the name under docs.
func files() map[string]string {
	return map[string]string{
		"causes/README.md":   index(diagnose.Causes()),
		"failure-reasons.md": reasonIndex(diagnose.Reasons()),
	}
}
