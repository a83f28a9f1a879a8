// Command shoot makes a picture of a page as Debian's chromium shows it: a page of a file, whole, as PNG. It is run by make demo and by
// whoever makes the pictures of docs/images; nothing ships it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is for a browser that starts on a machine that does much else.
const patience = time.Minute

// phone is the width under which a browser is that of a phone.
const phone = 600

func main() {
	var s shot
	flag.IntVar(&s.width, "width", 1100, "of the window, in CSS pixels")
	flag.IntVar(&s.most, "most", 0, "how high the picture is at most; 0: as high as the page")
	flag.BoolVar(&s.dark, "dark", false, "as who prefers dark colors sees it")
	flag.Float64Var(&s.scale, "scale", 1, "how many pixels of the picture a CSS pixel has")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: shoot [--width N] [--most N] [--scale N] [--dark] PAGE.html PICTURE.png")
		os.Exit(2)
	}
	if err := s.shoot(flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "shoot:", err)
		os.Exit(1)
	}
}

// shot is how a picture is made.
type shot struct {
	width, most int
	scale       float64
	dark        bool
}

var errNoBrowser = errors.New("no chromium, which makes pictures of pages (apt-get install chromium)")

func (s shot) shoot(from, to string) error {
	path, err := filepath.Abs(from)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return err
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		return errNoBrowser
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.DisableGPU)
	if os.Getuid() == 0 { // Chromium's sandbox refuses to run as root; the page is our own and has no script
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	picture, err := s.show(ctx, "file://"+path, scheme)
	if err != nil {
		return fmt.Errorf("show %s: %w", from, err)
	}
	if err := os.WriteFile(to, picture, 0o644); err != nil {
		return err
	}
	fmt.Println("wrote", to)
	return nil
}

// show is the page as PNG.
func (s shot) show(ctx context.Context, url, scheme string) ([]byte, error) {
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(s.width), 900)); err != nil {
		return nil, err
	}
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(s.width), Height: 900, DeviceScaleFactor: s.scale, Mobile: s.width < phone,
	})
	if err != nil {
		return nil, err
	}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		return nil, err
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return nil, err
	}
	layout, err := chromedp.Call(ctx, page.GetLayoutMetrics, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	high := math.Ceil(layout.CSSContentSize.Height)
	if s.most > 0 {
		high = min(high, float64(s.most))
	}
	beyond := true
	shown, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Clip: &page.Viewport{Width: float64(s.width), Height: high, Scale: 1}, CaptureBeyondViewport: &beyond,
	})
	return shown.Data, err
}
