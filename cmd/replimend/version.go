package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by make; a binary of go install knows its module's version instead.
var version string

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the commit and the Go version",
		Example: "  replimend version",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo()
			if info == nil {
				info = &debug.BuildInfo{}
			}
			commit := setting(info, "vcs.revision")
			if setting(info, "vcs.modified") == "true" {
				commit += ", modified"
			}
			fmt.Fprintf(p.out, "replimend %s\n", cmp.Or(version, info.Main.Version, "devel"))
			fmt.Fprintf(p.out, "commit %s\n", cmp.Or(commit, "unknown"))
			fmt.Fprintf(p.out, "%s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return hinted(fmt.Errorf("%s takes no argument, got %q", cmd.Name(), args[0]), cmd.CommandPath()+" --help shows an example")
}
