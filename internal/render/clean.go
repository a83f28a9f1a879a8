package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/jsontree"
)

// Clean is s with every character that a terminal could obey, or that could hide or reorder its neighbours, written as an
// escape: names of rules, objects and statements are whatever their authors chose. The result has no line breaks.
func Clean(s string) string {
	i := strings.IndexFunc(s, obeyed)
	if i < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case obeyed(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

func obeyed(r rune) bool { return !jsontree.Visible(r) }

// cleanLines is Clean that keeps line breaks, for text of our own making around names that are not.
func cleanLines(s string) []string {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = Clean(line)
	}
	return lines
}

// JSON is a value of the contracts as the command line prints it: two spaces a level, a line break at the end. Characters
// that Clean would replace are written as JSON escapes, so that they keep their value and do nothing to a terminal.
func JSON(v any) ([]byte, error) { return encode(v, "  ") }

// JSONLine is JSON on one line.
func JSONLine(v any) ([]byte, error) { return encode(v, "") }

func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("print JSON: %w", err)
	}
	return escape(b.Bytes()), nil
}

// escape works on the text because outside of strings JSON has no character that needs it.
func escape(text []byte) []byte {
	if !bytes.ContainsFunc(text, escaped) {
		return text
	}
	out := make([]byte, 0, len(text)+16)
	for _, r := range string(text) {
		switch {
		case !escaped(r):
			out = utf8.AppendRune(out, r)
		case r > 0xFFFF:
			high, low := (r-0x10000)>>10+0xD800, (r-0x10000)&0x3FF+0xDC00
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

func escaped(r rune) bool { return r != '\n' && obeyed(r) }
