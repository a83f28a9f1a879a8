// Package layering holds the test that keeps the package graph as the table in layering_test.go draws it.
//
// It has no code of its own and nobody imports it. A new package is one line in the table of layering_test.go.
package layering
