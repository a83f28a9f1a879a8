package site

import (
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/page"
	"github.com/replimend/replimend/internal/settings"
)

func overview(all []incident.Summary, _ *settings.Settings) page.Overview {
	return page.Overview{Incidents: all}
}

func (v *visit) note(status int, title, words string) page.Note {
	return page.Note{Title: title, Text: words}
}
