package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/settings"
)

// A picture is one golden file as one image.
type picture struct {
	tool     settings.Tool
	kind     string
	language settings.Language
	form     string // what is in the name of the file besides: "", or -link where the message has one
}

// file is the name of the image.
func (p picture) file() string { return fmt.Sprintf("%s-%s%s.png", p.tool, p.language, p.form) }

const (
	proposal = "proposal"
	linked   = "-link"
)

// pictures is a proposal in each tool that people read, once in Japanese and once with a link. What is sent to a webhook a program reads.
func pictures() []picture {
	out := []picture{{settings.Chatwork, proposal, settings.Japanese, ""}, {settings.Teams, proposal, settings.English, linked}}
	for _, t := range settings.Tools() {
		if t != settings.Webhook {
			out = append(out, picture{t, proposal, settings.English, ""})
		}
	}
	return out
}

// sums is the file beside the pictures that says what each was drawn from: a test finds with it which are stale, and needs no browser.
const sums = "drawn.txt"

// mostBytes is how large an image may be.
const mostBytes = 120_000

// drawAll draws every picture.
func drawAll(ctx context.Context, browser, goldens, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a directory for pictures: %w", err)
	}
	var drawn strings.Builder
	for _, p := range pictures() {
		content, err := page(goldens, p)
		if err != nil {
			return err
		}
		shot, err := screenshot(ctx, browser, content)
		if err != nil {
			return fmt.Errorf("take picture %s: %w", p.file(), err)
		}
		if len(shot) > mostBytes {
			return fmt.Errorf("take picture %s: it has %d bytes, and may have %d", p.file(), len(shot), mostBytes)
		}
		if err := os.WriteFile(filepath.Join(dir, p.file()), shot, 0o644); err != nil {
			return fmt.Errorf("write picture: %w", err)
		}
		drawn.WriteString(sum(p, content, shot))
	}
	if err := os.WriteFile(filepath.Join(dir, sums), []byte(drawn.String()), 0o644); err != nil {
		return fmt.Errorf("write what the pictures were drawn from: %w", err)
	}
	return nil
}

// sum is the line of a picture in sums: its name, of what it was drawn, and what came of it.
func sum(p picture, content string, shot []byte) string {
	short := func(b []byte) string {
		s := sha256.Sum256(b)
		return hex.EncodeToString(s[:8])
	}
	return fmt.Sprintf("%s %s %s\n", p.file(), short([]byte(content)), short(shot))
}

// A sent is a request as its golden file has it. What follows it is another message.
type sent struct {
	Request string            `json:"request"`
	Header  map[string]string `json:"header"`
	Secret  string            `json:"secret"`
	Body    json.RawMessage   `json:"body"`
	Then    []sent            `json:"then"`
}

//go:embed style.css
var style string

// page is the whole page of a picture.
func page(goldens string, p picture) (string, error) {
	name := filepath.Join(goldens, p.tool.String(), p.kind+"-"+p.language.String()+p.form+".json")
	golden, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("read what is sent: %w", err)
	}
	var s sent
	if err := strictly(golden, &s); err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	body, err := drawn(p.tool, s)
	if err != nil {
		return "", fmt.Errorf("draw %s: %w", name, err)
	}
	return fmt.Sprintf("<!doctype html>\n<html lang=%q>\n<meta charset=\"utf-8\">\n<style>\n%s</style>\n<body>%s</body>\n</html>\n",
		p.language, style, body), nil
}

// strictly reads JSON whose members are all known.
func strictly(from []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(from))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// The window, which is larger than any message, and the room that is left around one.
const (
	windowWidth  = 840
	windowHeight = 4000
	margin       = 12
)

// screenshot is what a browser makes of a page, without what is empty.
func screenshot(ctx context.Context, browser, content string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "chatpictures")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.png")
	if err := os.WriteFile(in, []byte(content), 0o600); err != nil {
		return nil, err
	}
	// Its own sandbox does not work for root, as in a container; the page is ours and loads nothing.
	c := exec.CommandContext(
		ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
		"--user-data-dir="+filepath.Join(dir, "profile"), fmt.Sprintf("--window-size=%d,%d", windowWidth, windowHeight),
		"--screenshot="+out, "file://"+in,
	)
	if said, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	f, err := os.Open(out)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	shot, err := png.Decode(f)
	if err != nil {
		return nil, err
	}
	cut, err := cropped(shot)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, few(cut))
	return b.Bytes(), err
}

// cropped is an image without what is like its first pixel at the edges, but for a margin. What reaches the lower edge may go on below.
func cropped(of image.Image) (*image.RGBA, error) {
	all := image.NewRGBA(of.Bounds())
	draw.Draw(all, all.Bounds(), of, of.Bounds().Min, draw.Src)
	var box image.Rectangle
	for y := range all.Bounds().Dy() {
		for x := range all.Bounds().Dx() {
			if all.RGBAAt(x, y) != all.RGBAAt(0, 0) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if box.Empty() || box.Max.Y == all.Bounds().Max.Y {
		return nil, fmt.Errorf("it is empty, or higher than %d", windowHeight)
	}
	box = box.Inset(-margin).Intersect(all.Bounds())
	out := image.NewRGBA(box)
	draw.Draw(out, box, all, box.Min, draw.Src)
	return out, nil
}

// few is an image in its most frequent colours, each other one as the nearest of them: the edges of letters have hundreds.
func few(of *image.RGBA) *image.Paletted {
	const most = 256
	count := map[color.RGBA]int{}
	box := of.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[of.RGBAAt(x, y)]++
		}
	}
	byCount := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	var colours color.Palette
	for _, c := range byCount[:min(most, len(byCount))] {
		colours = append(colours, c)
	}
	out := image.NewPaletted(box, colours)
	draw.Draw(out, box, of, box.Min, draw.Src)
	return out
}

// within is an element around others, which are HTML.
func within(tag, class string, inner ...string) string {
	open := tag
	if class != "" {
		open += ` class="` + class + `"`
	}
	return "<" + open + ">" + strings.Join(inner, "") + "</" + tag + ">"
}

// text is a text as HTML.
func text(s string) string { return html.EscapeString(s) }

// block is a text of its own.
func block(class, s string) string { return within("div", class, text(s)) }

// code is code, in which what a diff adds and takes away is marked: some tools give it colours.
func code(s string) string {
	var lines []string
	for l := range strings.SplitSeq(s, "\n") {
		switch {
		case strings.HasPrefix(l, "+"):
			l = within("span", "added", text(l))
		case strings.HasPrefix(l, "-"):
			l = within("span", "removed", text(l))
		default:
			l = text(l)
		}
		lines = append(lines, l)
	}
	return within("pre", "", strings.Join(lines, "\n"))
}
