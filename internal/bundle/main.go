// Command bundle makes the zips of functions that are deployed, as package release builds them, with the settings inside. Settings with a
// fault are told of before anything is built.
//
//	bundle SETTINGS FOLDER functions/failure functions/remedy …
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/replimend/replimend/internal/release"
	"github.com/replimend/replimend/internal/settings"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: bundle SETTINGS FOLDER PACKAGE…")
		os.Exit(2)
	}
	if err := bundle(context.Background(), os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// bundle makes FOLDER/NAME.zip of each package, where NAME is the last part of its path.
func bundle(ctx context.Context, name, folder string, packages []string) error {
	file, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	_, err = settings.ParseToDeploy(file)
	if faults := (*settings.Error)(nil); errors.As(err, &faults) {
		return faults.In(name)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, pkg := range packages {
		program, err := release.Build(ctx, pkg, release.Arch)
		if err != nil {
			return err
		}
		zip, err := release.Zip(program, file)
		if err != nil {
			return fmt.Errorf("pack %s: %w", pkg, err)
		}
		out := filepath.Join(folder, filepath.Base(pkg)+".zip")
		if err := os.WriteFile(out, zip, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d KB\n", out, len(zip)/1024)
	}
	return nil
}
