package iac

import (
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestShellQuotesOneWord is about any text: today's names have none of these characters, because AWS has none of such names.
func TestShellQuotesOneWord(t *testing.T) {
	t.Parallel()
	words := rapid.SliceOfN(rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("'\"\\$`\n\t ;&|#*?~!()<>{}[]=-%")), rapid.Rune().Filter(func(r rune) bool { return r != 0 }))), 200, 200).Example(1)
	var script strings.Builder
	for _, w := range append(words, "'", "''", "'\\''", "$(id)", "-n", "") {
		script.WriteString("printf '%s\\0' " + shell(w) + "\n")
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-s")
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(append(words, "'", "''", "'\\''", "$(id)", "-n", ""), "\x00") + "\x00"
	if string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}
