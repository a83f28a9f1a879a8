// Package causes is the pages of this folder, one for each cause of the catalogue, so that the command line can show them
// without a network. It holds text and knows no code; cmd/replimend imports it.
package causes

import "embed"

//go:embed *.md
var pages embed.FS

// Page is the page of a cause in Markdown, and whether there is one.
func Page(cause string) (string, bool) {
	text, err := pages.ReadFile(cause + ".md")
	return string(text), err == nil && cause != "README"
}
