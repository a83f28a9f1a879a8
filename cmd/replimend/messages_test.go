package main

import (
	"regexp"
	"testing"

	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/notifytest"
	"github.com/replimend/replimend/internal/settings"
)

// said is a command in a message, up to where the sentence goes on.
var said = regexp.MustCompile(`replimend ([a-z][^（。;]*)`)

// TestCommandsOfMessagesAreThere: what people are told to run is a command with the flags that it has.
func TestCommandsOfMessagesAreThere(t *testing.T) {
	found := 0
	for kind, m := range notifytest.Messages() {
		for _, l := range settings.Languages() {
			v := notify.Of(m, settings.Target{Language: l})
			for _, s := range v.Sections {
				for _, line := range append(s.Lines, v.Cut) {
					for _, c := range said.FindAllStringSubmatch(line, -1) {
						found++
						knowsFlags(t, kind+" in "+l.String(), c[1])
					}
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("%d commands were found: are they read?", found)
	}
}
