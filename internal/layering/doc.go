// Package layering holds the test that keeps the package graph as ARCHITECTURE.md §2 draws it.
//
// It has no code of its own and nobody imports it. A new package is one line in the table of layering_test.go.
package layering
