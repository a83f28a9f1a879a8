package layering

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

// sound is a small tree within every rule. Each red case below breaks it in one place.
var sound = map[string]string{
	"go.mod":                    "module example.com/m\n",
	"internal/jsontree/json.go": `package jsontree; import _ "strings"`,
	"internal/policy/policy.go": `package policy; import (_ "example.com/m/internal/jsontree"; _ "net/url"; _ "net/netip"; _ "time")`,
	"internal/authz/authz.go":   `package authz; import _ "example.com/m/internal/policy"`,
	"internal/snapshot/snap.go": `package snapshot; import _ "example.com/m/internal/policy"`,
	"internal/route/route.go":   `package route; import (_ "example.com/m/internal/authz"; _ "example.com/m/internal/snapshot")`,
	"internal/lab/lab.go":       `package lab; import (_ "example.com/m/internal/authz"; _ "os"; _ "context")`,
	"internal/remedy/remedy.go": `package remedy; import (_ "example.com/m/internal/route"; _ "context"); func f() { go f() }`,
	"internal/rehearsal/run.go": `package rehearsal; import (_ "example.com/m/internal/lab"; _ "example.com/m/internal/remedy")`,
	"cmd/replimend/main.go":     `package main; import (_ "example.com/m/internal/rehearsal"; _ "os")`,
	"functions/failure/main.go": `package main; import (_ "example.com/m/internal/remedy"; _ "github.com/aws/aws-lambda-go/lambda")`,
	"node_modules/x/broken.go":  `not Go at all`,
	"tools/node_modules/y/a.go": `not Go either`,
}

// outside is what the go command would list for the packages that the cases import.
var outside = map[string][]string{
	"github.com/aws/aws-lambda-go/lambda": {"net/http"},
	"example.org/plain":                   {"fmt"},
	"example.org/client":                  {"example.org/transport"},
	"example.org/transport":               {"net/http"},
	"example.org/stack":                   {"github.com/aws/aws-cdk-go/awscdk/v2"},
}

// look reads the sound tree with some files added or replaced, and checks it.
func look(t *testing.T, table map[string]layer, files map[string]string) []string {
	t.Helper()
	tree := fstest.MapFS{}
	for _, set := range []map[string]string{sound, files} {
		for name, src := range set {
			tree[name] = &fstest.MapFile{Data: []byte(src)}
		}
	}
	g, err := readTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	g.outside = outside
	return check(table, g)
}

// TestRed shows that each rule can fail: a rule that nobody has seen red guards nothing.
func TestRed(t *testing.T) {
	widened := func(path string, l layer) map[string]layer {
		table := maps.Clone(layers)
		table[path] = l
		return table
	}
	// A pure package with one line of code more, which the policy package of the sound tree does not have.
	inPolicy := func(src string) map[string]string {
		return map[string]string{"internal/policy/red.go": "package policy\n" + src}
	}
	importing := func(path string) map[string]string { return inPolicy("import _ " + `"` + path + `"`) }

	tests := map[string]struct {
		table map[string]layer // layers where nil
		files map[string]string
		want  string // empty: a near miss, nothing is reported
	}{
		"sound": {},

		"unknown package":           {nil, map[string]string{"internal/util/util.go": "package util"}, "internal/util: unknown package: add it to the table"},
		"unknown command":           {nil, map[string]string{"cmd/other/main.go": "package main"}, "cmd/other: unknown package"},
		"unknown on other platform": {nil, map[string]string{"internal/win/win_windows.go": "//go:build windows\n\npackage win"}, "internal/win: unknown package"},
		"testdata is no package":    {nil, map[string]string{"internal/policy/testdata/case.go": "package broken?"}, ""},
		"module of its own":         {nil, map[string]string{"examples/go.mod": "module x", "examples/x.go": "package x"}, ""},

		"upwards":               {nil, importing("example.com/m/internal/authz"), "internal/policy may not import internal/authz"},
		"siblings":              {nil, map[string]string{"internal/authz/red.go": `package authz; import _ "example.com/m/internal/snapshot"`}, "red.go:1: internal/authz may not import internal/snapshot"},
		"siblings, reverse":     {nil, map[string]string{"internal/snapshot/red.go": `package snapshot; import _ "example.com/m/internal/authz"`}, "internal/snapshot may not import internal/authz"},
		"upwards in a test":     {nil, map[string]string{"internal/policy/red_test.go": `package policy_test; import _ "example.com/m/internal/authz"`}, "red_test.go:1: internal/policy may not import internal/authz"},
		"the lab in a test":     {nil, map[string]string{"internal/authz/lab_test.go": `package authz_test; import (_ "example.com/m/internal/lab"; _ "example.com/m/internal/authz")`}, ""},
		"the lab outside tests": {nil, map[string]string{"internal/authz/red.go": `package authz; import _ "example.com/m/internal/lab"`}, "internal/authz may not import internal/lab"},

		"program imported":            {nil, importing("example.com/m/functions/failure"), "nothing imports functions, cmd or infra"},
		"program imported by program": {nil, map[string]string{"cmd/replimend/red.go": `package main; import _ "example.com/m/functions/failure"`}, "cmd/replimend imports functions/failure: nothing imports"},
		"infra imported by the top":   {nil, map[string]string{"internal/rehearsal/red.go": `package rehearsal; import _ "example.com/m/infra"`}, "internal/rehearsal imports infra: nothing imports"},

		"jsii":            {nil, map[string]string{"cmd/replimend/red.go": `package main; import _ "github.com/aws/jsii-runtime-go"`}, "jsii lives in infra alone"},
		"jsii in a test":  {nil, map[string]string{"functions/failure/red_test.go": `package main; import _ "github.com/aws/aws-cdk-go/awscdk/v2"`}, "jsii lives in infra alone"},
		"jsii underneath": {nil, map[string]string{"functions/failure/red.go": `package main; import _ "example.org/stack"`}, "imports example.org/stack → github.com/aws/aws-cdk-go/awscdk/v2: jsii lives"},
		"jsii in infra":   {widened("infra", layer{wiring, ""}), map[string]string{"infra/main.go": `package main; import _ "github.com/aws/jsii-runtime-go"`}, ""},

		"lab knows the routes": {
			widened("internal/lab", layer{lab, "authz route"}),
			map[string]string{"internal/lab/red.go": `package lab; import _ "example.com/m/internal/route"`},
			"internal/lab: never reaches internal/route: imports internal/route",
		},
		"lab knows the routes through another": {
			widened("internal/lab", layer{lab, "authz remedy"}),
			map[string]string{"internal/lab/red.go": `package lab; import _ "example.com/m/internal/remedy"`},
			"internal/lab: never reaches internal/route: imports internal/remedy → internal/route",
		},
		"function links the lab": {
			widened("functions/failure", layer{wiring, everything}),
			map[string]string{"functions/failure/red.go": `package main; import _ "example.com/m/internal/rehearsal"`},
			"functions/failure: never reaches internal/rehearsal",
		},
		"function test uses the lab": {nil, map[string]string{"functions/failure/main_test.go": `package main; import _ "example.com/m/internal/lab"`}, ""},

		"os":                  {nil, importing("os"), "red.go:2: pure package internal/policy may not import os"},
		"os/exec":             {nil, importing("os/exec"), "may not import os/exec"},
		"net":                 {nil, importing("net"), "may not import net"},
		"net/http":            {nil, importing("net/http"), "may not import net/http"},
		"log":                 {nil, importing("log"), "may not import log"},
		"log/slog":            {nil, importing("log/slog"), "may not import log/slog"},
		"math/rand":           {nil, importing("math/rand"), "may not import math/rand"},
		"math/rand/v2":        {nil, importing("math/rand/v2"), "may not import math/rand/v2"},
		"crypto/rand":         {nil, importing("crypto/rand"), "may not import crypto/rand"},
		"context":             {nil, importing("context"), "may not import context"},
		"runtime":             {nil, importing("runtime"), "may not import runtime"},
		"syscall":             {nil, importing("syscall"), "may not import syscall"},
		"SDK":                 {nil, importing("github.com/aws/aws-sdk-go-v2/aws"), "may not import github.com/aws/aws-sdk-go-v2/aws"},
		"network underneath":  {nil, importing("example.org/client"), "reaches the network: example.org/client → example.org/transport → net/http"},
		"nothing underneath":  {nil, importing("example.org/plain"), ""},
		"named alike":         {nil, importing("example.org/os"), ""},
		"os in a test":        {nil, map[string]string{"internal/policy/os_test.go": `package policy; import (_ "os"; _ "context")`}, ""},
		"os elsewhere":        {nil, map[string]string{"internal/policy/os_plan9.go": `package policy; import _ "os"`}, "os_plan9.go:1: pure package internal/policy may not import os"},
		"generator":           {nil, map[string]string{"internal/policy/gen.go": "//go:build ignore\n\npackage main\n\nimport _ \"os\""}, ""},
		"generator's imports": {nil, map[string]string{"internal/policy/gen.go": "//go:build ignore\n\npackage main\n\nimport _ \"example.com/m/internal/authz\""}, "internal/policy may not import internal/authz"},

		"clock":                   {nil, inPolicy("import \"time\"\nfunc f() time.Time { return time.Now() }"), "red.go:3: pure package internal/policy uses time.Now"},
		"clock as a value":        {nil, inPolicy("import \"time\"\nvar now = time.Now"), "uses time.Now"},
		"clock under other name":  {nil, inPolicy("import clock \"time\"\nvar _ = clock.Since"), "uses time.Since"},
		"clock by dot import":     {nil, inPolicy("import . \"time\"\nvar _ = Now"), "uses a dot import of time"},
		"waiting":                 {nil, inPolicy("import \"time\"\nfunc f() { time.Sleep(1) }"), "uses time.Sleep"},
		"channel of the clock":    {nil, inPolicy("import \"time\"\nfunc f() { <-time.After(1) }"), "uses time.After"},
		"timer":                   {nil, inPolicy("import \"time\"\nvar _ = time.NewTimer(1)"), "uses time.NewTimer"},
		"ticker":                  {nil, inPolicy("import \"time\"\nvar _ = time.Tick"), "uses time.Tick"},
		"clock in the order":      {nil, map[string]string{"internal/remedy/red.go": "package remedy; import \"time\"; var _ = time.Now"}, "order package internal/remedy uses time.Now"},
		"time as a value":         {nil, inPolicy("import \"time\"\nfunc f(t time.Time) bool { return t.After(time.Unix(0, 0)) }"), ""},
		"clock in a test":         {nil, map[string]string{"internal/policy/now_test.go": "package policy; import \"time\"; var _ = time.Now"}, ""},
		"goroutine":               {nil, inPolicy("func f() { go f() }"), "red.go:2: pure package internal/policy starts a goroutine"},
		"goroutine in a test":     {nil, map[string]string{"internal/policy/go_test.go": "package policy; func g() { go g() }"}, ""},
		"network in the order":    {nil, map[string]string{"internal/remedy/red.go": `package remedy; import _ "net/http"`}, "order package internal/remedy may not import net/http"},
		"context hides the order": {widened("internal/remedy", layer{pure, "route"}), nil, "pure package internal/remedy may not import context"},

		"table: pure imports lab":        {widened("internal/render", layer{pure, "lab"}), nil, "table: pure package internal/render may not import lab package internal/lab"},
		"table: pure imports everything": {widened("internal/render", layer{pure, everything}), nil, "table: pure package internal/render may not import everything"},
		"table: order imports lab":       {widened("internal/remedy", layer{order, "route lab"}), nil, "table: order package internal/remedy may not import lab package internal/lab"},
		"table: misspelt":                {widened("internal/render", layer{pure, "polcy"}), nil, "table: internal/render names internal/polcy, which is not in the table"},
		"table: edge imports edge": {
			func() map[string]layer {
				table := widened("internal/journal", layer{edge, "policy"})
				table["internal/notify"] = layer{edge, "policy journal"}
				return table
			}(), nil,
			"table: edge package internal/notify may not import edge package internal/journal",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := tt.table
			if table == nil {
				table = layers
			}
			got := look(t, table, tt.files)
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("sound tree reported:\n%s", strings.Join(got, "\n"))
				}
				return
			}
			if !strings.Contains(strings.Join(got, "\n"), tt.want) {
				t.Errorf("got %q, want a report of %q", got, tt.want)
			}
		})
	}
}

// TestReadTreeRefuses: a file that cannot be read must not count as a file without faults.
func TestReadTreeRefuses(t *testing.T) {
	tests := map[string]fstest.MapFS{
		"no go.mod":    {"a.go": {Data: []byte("package a")}},
		"syntax error": {"go.mod": {Data: []byte("module m\n")}, "a.go": {Data: []byte("package")}},
	}
	for name, tree := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := readTree(tree); err == nil {
				t.Error("read tree without complaint")
			}
		})
	}
}
