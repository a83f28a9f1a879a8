// Command mutate runs package mutation over the complete routes of this repository and prints what it found. It is run by make
// mutate from the root of the repository; nobody imports it and nothing ships it.
package main

import (
	"fmt"
	"os"

	"github.com/replimend/replimend/internal/mutation"
)

func main() {
	report, err := mutation.Run(os.DirFS("."), mutation.Worlds, mutation.Consumers)
	if err == nil {
		err = report.Print(os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "mutate: %v\n", err)
		os.Exit(2)
	}
	if !report.Reached() {
		os.Exit(1)
	}
}
