package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/page"
	"github.com/replimend/replimend/internal/settings"
)

func (p *program) pageCommand() *cobra.Command {
	var l live
	var journal, out, lang string
	cmd := &cobra.Command{
		Use:   "page INCIDENT --out FILE",
		Short: "Write the page of an incident, with its route as a picture",
		Long: `Write the page of one incident of a journal as one HTML file: its route as a picture with what was denied in red, the statements that
decide, what was changed, and what happened. It hides nothing that the journal has, and decides nothing.

Exit code: 0 the file is written, 2 an argument is wrong, there is no such incident, or a file cannot be read or written. Then FILE is as
it was.`,
		Example: `  replimend page inc-0123456789abcdef0123 --out incident.html
  replimend page inc-0123456789abcdef0123 --journal dynamodb:replimend-incidents --profile hub --lang ja --out incident.html`,
		Args: exactly("INCIDENT", 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			language, err := readLanguage(cmd, lang)
			if err != nil {
				return err
			}
			if out == "" {
				return hinted(errors.New("--out is missing, which names the file that is written"), cmd.CommandPath()+" --help shows an example")
			}
			kept, err := p.openNamed(cmd.Context(), journal, l)
			if err != nil {
				return err
			}
			i, err := kept.Get(cmd.Context(), args[0])
			if err != nil {
				return noIncident(err)
			}
			if err := writePage(out, i, copyOf(language, time.Now())); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "wrote %s\n", out)
			return nil
		},
	}
	l.flags(cmd)
	journalFlag(cmd, &journal)
	cmd.Flags().StringVar(&out, "out", "", "write the page to this `FILE`")
	languageFlag(cmd, &lang)
	return cmd
}

func languageFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "lang", settings.English.String(), "`LANGUAGE` of pages: en or ja")
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "ja"}, cobra.ShellCompDirectiveNoFileComp))
}

func readLanguage(cmd *cobra.Command, text string) (settings.Language, error) {
	if l := settings.Language(text); slices.Contains(settings.Languages(), l) {
		return l, nil
	}
	return "", hinted(fmt.Errorf("unknown value %q of --lang: want en or ja", text), cmd.CommandPath()+" --help shows an example")
}

// copyOf is who looks at a page that is a file: whoever wrote it can read the journal.
func copyOf(l settings.Language, now time.Time) page.Visitor {
	return page.Visitor{Language: l, Alone: true, ReadOnly: catalogue.Copied(l), Now: now}
}

// writePage writes a page to a file, whole or not at all.
func writePage(path string, i incident.Incident, v page.Visitor) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".page-*")
	if err != nil {
		return fmt.Errorf("write page %s: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	err = page.Incident(tmp, i, v)
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write page %s: %w", path, cause(err))
	}
	return nil
}

// site is the pages of a rehearsal.
type site struct {
	language  settings.Language
	incidents []incident.Incident
	routes    []settings.ApprovedRoute
	now       time.Time // of the last thing that was played
}

// add takes in what a scenario left. Worlds and times repeat from scenario to scenario, and so do the IDs of incidents.
func (s *site) add(incidents []incident.Incident, routes []settings.ApprovedRoute) {
	for _, i := range incidents {
		taken := func(id string) bool {
			return slices.ContainsFunc(s.incidents, func(o incident.Incident) bool { return o.ID == id })
		}
		for n := 1; taken(i.ID); n++ {
			i.ID = incident.ID(i.Route, i.Opened.Add(time.Duration(n)))
		}
		s.incidents = append(s.incidents, i)
		for _, e := range i.Timeline {
			if e.At.After(s.now) {
				s.now = e.At
			}
		}
	}
	for _, r := range routes {
		if !slices.ContainsFunc(s.routes, func(o settings.ApprovedRoute) bool { return o.Name == r.Name }) {
			s.routes = append(s.routes, r)
		}
	}
}

func (s *site) visitor() page.Visitor {
	return page.Visitor{Language: s.language, ReadOnly: catalogue.Rehearsed(s.language), Now: s.now}
}

// handler shows the list and each incident, and takes nothing.
func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, write func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			http.Error(w, "the page could not be made", http.StatusInternalServerError)
			return
		}
		_, hash := page.Style()
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+hash+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		_, _ = b.WriteTo(w) // a reader that goes away is nobody's fault
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		o := page.Overview{Routes: s.routes}
		for _, i := range s.incidents {
			o.Incidents = append(o.Incidents, i.Summary())
		}
		show(w, func(b *bytes.Buffer) error { return page.List(b, o, s.visitor()) })
	})
	mux.HandleFunc("GET /incidents/{id}", func(w http.ResponseWriter, r *http.Request) {
		n := slices.IndexFunc(s.incidents, func(i incident.Incident) bool { return i.ID == r.PathValue("id") })
		if n < 0 {
			http.NotFound(w, r)
			return
		}
		show(w, func(b *bytes.Buffer) error { return page.Incident(b, s.incidents[n], s.visitor()) })
	})
	return mux
}

// listenLocally listens where only this machine reaches it.
func listenLocally(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, hinted(fmt.Errorf("read address %q: %w", address, err), "an address is a host and a port, such as 127.0.0.1:0")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, hinted(fmt.Errorf("listen on %s: it is not an address of this machine alone", address), "127.0.0.1:0 takes any port that is free")
	}
	var l net.ListenConfig
	listener, err := l.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, hinted(err, "127.0.0.1:0 takes any port that is free")
	}
	return listener, nil
}

// serve shows the pages until somebody interrupts it.
func (p *program) serve(ctx context.Context, s *site, listener net.Listener) error {
	server := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	fmt.Fprintf(p.out, "\nhttp://%s/ shows the incidents until Ctrl-C ends it\n", listener.Addr())
	if err := p.out.Flush(); err != nil {
		return errors.Join(err, listener.Close())
	}
	ended := context.AfterFunc(ctx, func() { _ = server.Close() }) // readers have nothing to lose
	defer ended()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve pages: %w", err)
	}
	return nil
}

// pageName is the file of a scenario's page.
func pageName(folder, scenario string, n int) string {
	name := strings.ReplaceAll(scenario, string(filepath.Separator), "-")
	if n > 0 {
		name += fmt.Sprintf("-%d", n+1)
	}
	return filepath.Join(folder, name+".html")
}
