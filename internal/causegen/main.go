// Command causegen writes the index of docs/causes from the catalogue of causes, so that the two cannot drift apart. It is run
// by go generate alone; nobody imports it and nothing ships it.
package main

import (
	"fmt"
	"os"

	"github.com/replimend/replimend/internal/diagnose"
)

//go:generate go run . ../../docs/causes/README.md

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: causegen FILE")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], []byte(index(diagnose.Causes())), 0o644); err != nil {
		fmt.Fprintf(os.Stderr, "causegen: %v\n", err)
		os.Exit(1)
	}
}
