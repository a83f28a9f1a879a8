// Command schemagen writes the JSON schemas of the public shapes from the Go types that read and print them, so that the two
// cannot drift apart. It is run by go generate alone; nobody imports it and nothing ships it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run . ../../docs/schema

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemagen DIRECTORY")
		os.Exit(2)
	}
	for _, s := range schemas {
		text, err := s.generate()
		if err == nil {
			err = os.WriteFile(filepath.Join(os.Args[1], s.file), text, 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "schemagen: %s: %v\n", s.file, err)
			os.Exit(1)
		}
	}
}
