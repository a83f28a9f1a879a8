package settings_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

const example = "../../docs/examples/replimend.yaml"

func arn(s string) policy.ARN {
	a, err := policy.ParseARN(s)
	if err != nil {
		panic(err)
	}
	return a
}

func TestParseReadsTheExample(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	got, err := settings.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	want := &settings.Settings{
		Version: 1,
		Routes: []settings.ApprovedRoute{
			{
				Name: "invoices-to-dr", Mode: settings.Approve,
				Source:      settings.Bucket{Bucket: "invoices", Account: "111122223333", Region: "us-east-1"},
				Destination: settings.Bucket{Bucket: "invoices-dr", Account: "444455556666", Region: "us-west-2"},
				Rule: settings.Rule{
					ID: "everything-to-dr", Prefix: "2026/", Tags: map[string]string{"class": "ledger"}, OwnerOverride: true,
					KMSObjects: new(true), ReplicaModifications: new(false),
				},
				Role: settings.Role{
					ARN: arn("arn:aws:iam::111122223333:role/service-role/s3-replication"), UniqueID: "AROAEXAMPLEREPLICATION",
					Trust: []string{"s3.amazonaws.com", "batchoperations.s3.amazonaws.com"},
				},
				SourceKeys: []policy.ARN{arn("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")},
				ReplicaKey: arn("arn:aws:kms:us-west-2:444455556666:key/0987dcba-09fe-87dc-65ba-ab0987654321"),
				Allow:      settings.Allow{RoleTrust: true, StackDrift: true},
			},
			{
				Name: "logs-to-archive", Mode: settings.Observe,
				Source:      settings.Bucket{Bucket: "app-logs", Account: "111122223333", Region: "us-east-1"},
				Destination: settings.Bucket{Bucket: "app-logs-archive", Account: "111122223333", Region: "us-east-1"},
				Rule:        settings.Rule{ID: "archive", DeleteMarkers: true},
				Role: settings.Role{
					ARN: arn("arn:aws:iam::111122223333:role/log-replication"), UniqueID: "AROAEXAMPLELOGS", Trust: []string{"s3.amazonaws.com"},
				},
			},
		},
		Accounts:  []string{"111122223333", "444455556666"},
		Protected: []policy.ARN{arn("arn:aws:iam::*:role/break-glass*"), arn("arn:aws:iam::*:role/security-response"), arn("arn:aws:iam::*:root")},
		Self:      []policy.ARN{arn("arn:aws:s3:::replimend-reports-*")},
		Members: []settings.Member{
			{Account: "111122223333", Regions: []string{"us-east-1"}},
			{Account: "444455556666", Regions: []string{"us-west-2"}, ExternalID: "replimend-dr"},
		},
		Hub: settings.Hub{
			Account: "999999999999", Region: "eu-west-1", LogDays: 90, AlarmTopic: arn("arn:aws:sns:eu-west-1:999999999999:oncall"),
		},
		Organization: "o-a1b2c3d4e5", ManagementAccount: "777788889999",
		Limits: settings.DefaultLimits(),
		Approvals: settings.Approvals{
			Approvers: []policy.ARN{
				arn("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_ReplimendApprovers_*"),
				arn("arn:aws:iam::111122223333:role/storage-on-call"), arn("arn:aws:iam::111122223333:user/jane"),
			},
			NamedSessions: []policy.ARN{arn("arn:aws:iam::111122223333:role/storage-on-call")},
			Hours:         settings.DefaultApprovalHours, TwoForKeyPolicies: true,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestFindRoutes(t *testing.T) {
	t.Parallel()
	s := &settings.Settings{Routes: []settings.ApprovedRoute{
		{Name: "a", Source: settings.Bucket{Bucket: "one"}},
		{Name: "b", Source: settings.Bucket{Bucket: "two"}},
		{Name: "c", Source: settings.Bucket{Bucket: "one"}},
	}}
	if r, ok := s.Route("b"); !ok || r.Source.Bucket != "two" {
		t.Errorf("Route(b) = %v, %t", r, ok)
	}
	if _, ok := s.Route("d"); ok {
		t.Error("Route(d) found a route that is not there")
	}
	if from := s.From("one"); len(from) != 2 || from[0].Name != "a" || from[1].Name != "c" {
		t.Errorf("From(one) = %v", from)
	}
}

// TestParseReportsEveryFault: each case is a file and the whole error that it must give.
func TestParseReportsEveryFault(t *testing.T) {
	t.Parallel()
	reportsEveryFault(t, "testdata/faults/*.txtar", settings.Parse)
}

// TestParseToDeployReportsEveryFault: the same of what only matters to whoever deploys.
func TestParseToDeployReportsEveryFault(t *testing.T) {
	t.Parallel()
	reportsEveryFault(t, "testdata/undeployable/*.txtar", settings.ParseToDeploy)
}

func reportsEveryFault(t *testing.T, pattern string, parse func([]byte) (*settings.Settings, error)) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) != 2 {
				t.Fatal("want the files replimend.yaml and want")
			}
			s, err := parse(archive.Files[0].Data)
			got := "valid"
			if err != nil {
				got = err.Error()
			}
			if s != nil && err != nil {
				t.Error("settings came with an error")
			}
			if want := strings.TrimSpace(string(archive.Files[1].Data)); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// TestSecretsAreRefusedBeforeADeployment, also in a file that says what it should.
func TestSecretsAreRefusedBeforeADeployment(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/examples/replimend.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := settings.ParseToDeploy(data); err != nil {
		t.Fatalf("without a secret: %v", err)
	}
	data = append(data, "# the old key was AKIAIOSFODNN7EXAMPLE\n"...)
	if _, err := settings.ParseToDeploy(data); err == nil || !strings.Contains(err.Error(), "looks like an access key of AWS") {
		t.Errorf("with one: %v", err)
	}
}

// TestParseIsBounded: a hostile file is refused, whatever it is made of. One that takes time without end runs into that of the tests.
func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		strings.Repeat("[", 1<<17), strings.Repeat("{a: ", 1<<15), strings.Repeat("- ", 1<<16), strings.Repeat("a: 1\n", 1<<15),
		"{" + strings.Repeat("a: 1,", 1<<15) + "}", strings.Repeat("? ", 1<<16), strings.Repeat("a: |\n b\n", 1<<14),
		"a: &a [x]\n" + strings.Repeat("b: [*a, *a]\n", 1<<14), strings.Repeat("a", 1<<21), strings.Repeat("&a ", 1<<15),
		"x: " + strings.Repeat("'", 1<<16), strings.Repeat("---\n", 1<<15), strings.Repeat("\n", 1<<18), "routes: [" + strings.Repeat("{},", 1<<14) + "]",
		strings.Repeat("--- a\n", 1<<14), "routes:\n" + strings.Repeat("- {name: a}\n", 1<<14),
	} {
		s, err := settings.Parse([]byte(in))
		if err == nil || s != nil {
			t.Errorf("%.10q…: accepted", in)
			continue
		}
		if n := len(err.Error()); n > 64<<10 {
			t.Errorf("%.10q…: the error has %d bytes", in, n)
		}
	}
}

// TestYAMLComesBack: what is printed is read back to the same settings.
func TestYAMLComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := draw(t)
		text := want.YAML()
		got, err := settings.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("settings (-want +got):\n%s\n%s", diff, text)
		}
	})
}

func draw(t *rapid.T) *settings.Settings {
	limits := settings.Limits{
		PatchesPerRoutePerHour: rapid.IntRange(0, 4).Draw(t, "perRoute"), PatchesPerAccountPerHour: rapid.IntRange(5, 7).Draw(t, "perAccount"),
		FailedCuresBeforeOpen: rapid.IntRange(1, 3).Draw(t, "cures"), RemovalsBeforeOpen: rapid.IntRange(2, 4).Draw(t, "removals"),
		IncidentHours: rapid.IntRange(23, 25).Draw(t, "hours"),
	}
	s := &settings.Settings{Version: 1, Limits: limits}
	if rapid.Bool().Draw(t, "lists") {
		s.Protected = []policy.ARN{arn("arn:aws:iam::*:role/break-glass*"), arn("arn:aws:iam::111122223333:root")}
		s.Self = []policy.ARN{arn("arn:aws:iam::*:role/replimend/*"), arn("arn:aws:s3:::replimend-reports")}
	}
	s.ManagementAccount = rapid.SampledFrom([]string{"", "012345670123"}).Draw(t, "management")
	if rapid.Bool().Draw(t, "approvals") {
		s.Approvals = settings.Approvals{
			Approvers:         []policy.ARN{arn("arn:aws:iam::*:role/on-call*"), arn("arn:aws-cn:iam::012345670123:user/a/b+c=d")},
			Hours:             rapid.IntRange(1, 72).Draw(t, "hours"),
			TwoForKeyPolicies: rapid.Bool().Draw(t, "two"),
		}
		if rapid.Bool().Draw(t, "named") {
			s.Approvals.NamedSessions = []policy.ARN{arn("arn:aws:iam::012345670123:role/on-call")}
		}
	}
	if rapid.Bool().Draw(t, "members") {
		s.Members = []settings.Member{
			{Account: "012345670123", Regions: []string{"us-east-1", "cn-north-1"}, ExternalID: rapid.SampledFrom([]string{"", "1234", "null", "a:b/c@d"}).Draw(t, "external")},
			{Account: "111122223333", Regions: []string{"us-gov-west-1"}},
		}
	}
	text := rapid.StringOfN(rapid.Rune(), 0, 20, 80)
	for i := range rapid.IntRange(0, 3).Draw(t, "routes") {
		key := arn("arn:aws:kms:us-east-1:111122223333:key/1234abcd")
		a := settings.ApprovedRoute{
			Name: fmt.Sprintf("route-%d", i),
			Mode: rapid.SampledFrom([]settings.Mode{settings.Observe, settings.Approve, settings.Automatic}).Draw(t, "mode"),
			Source: settings.Bucket{
				Bucket: rapid.StringMatching(`[a-z][a-z0-9-]{3,9}[a-z]`).Draw(t, "source"), Account: "012345670123", Region: "us-east-1",
			},
			Destination: settings.Bucket{
				Bucket: rapid.StringMatching(`[0-9]{3,9}e[0-9]`).Draw(t, "destination"), Account: rapid.StringMatching(`[0-9]{12}`).Draw(t, "account"), Region: "eu-west-1",
			},
			Rule: settings.Rule{
				ID: text.Draw(t, "id") + "x", Prefix: text.Draw(t, "prefix"),
				DeleteMarkers: rapid.Bool().Draw(t, "markers"), OwnerOverride: rapid.Bool().Draw(t, "override"),
			},
			Role: settings.Role{
				ARN: arn("arn:aws:iam::012345670123:role/a/b+c=d"), UniqueID: "AROAEXAMPLE",
				Trust: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"s3.amazonaws.com", "AWS:arn:aws:iam::111122223333:root", "AWS:111122223333"}), 1, 3, rapid.ID).Draw(t, "trust"),
			},
			Allow: settings.Allow{
				RoleTrust: rapid.Bool().Draw(t, "trust"), NoBoundary: rapid.Bool().Draw(t, "boundary"), StackDrift: rapid.Bool().Draw(t, "drift"),
			},
		}
		if rapid.Bool().Draw(t, "optional") {
			kms, modifications := rapid.Bool().Draw(t, "kms"), rapid.Bool().Draw(t, "modifications")
			a.Rule.KMSObjects, a.Rule.ReplicaModifications = &kms, &modifications
			s.Accounts = append(s.Accounts, a.Destination.Account)
		}
		if tags := rapid.MapOfN(text, text, 0, 3).Draw(t, "tags"); len(tags) > 0 {
			a.Rule.Tags = tags
		}
		if rapid.Bool().Draw(t, "key") {
			a.SourceKeys = []policy.ARN{key}
		}
		a.Rule.ID += fmt.Sprint(i)
		s.Routes = append(s.Routes, a)
	}
	if len(s.Accounts) > 0 { // then it has those of every route
		s.Accounts = append(s.Accounts, "012345670123")
		for _, a := range s.Routes {
			s.Accounts = append(s.Accounts, a.Destination.Account)
		}
	}
	return s
}

// FuzzParse holds what is printed against what was read.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("version: 1\nroutes: []\n"))
	f.Add([]byte("{\"version\": 1, \"routes\": [{\"name\": \"a\"}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := settings.Parse(data)
		if err != nil {
			if s != nil || err.Error() == "" || bytes.ContainsAny([]byte(err.Error()), "\x00\x1b\r") {
				t.Fatalf("settings %v with error %q", s, err)
			}
			return
		}
		again, err := settings.Parse([]byte(s.YAML()))
		if err != nil {
			t.Fatalf("%v\n%s", err, s.YAML())
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatalf("settings (-read +printed and read):\n%s", diff)
		}
	})
}
