package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/notify"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// A schema is one file of docs/schema and the type that it describes. Objects may have more members than are described unless
// the schema is strict.
type schema struct {
	file   string
	title  string
	of     any
	strict bool
	// printed says that we write such files rather than read them. Then a field is required unless it is omitted when empty, and
	// elsewhere it is optional unless its jsonschema tag says required.
	printed bool
}

// schemas is the table of docs/schema.
var schemas = []schema{
	{file: "approval.schema.json", title: "What a person answered to a plan", of: approvalFile{}, printed: true},
	{
		file: "diagnosis.schema.json", title: "Why replication routes replicate or fail (replimend diagnose --format json)",
		of: diagnose.Diagnosis{}, printed: true,
	},
	{
		file: "event.schema.json", title: "What became of an incident (events of the source replimend on the event bus)",
		of: notify.Event{}, printed: true,
	},
	{
		file: "incident.schema.json", title: "What became of a replication route that failed (replimend incidents show --format json)",
		of: incidentFile{}, printed: true,
	},
	{file: "plan.schema.json", title: "What cures replication routes (replimend plan --format json)", of: render.Plans{}, printed: true},
	{
		file: "settings.schema.json", title: "Which replication routes Replimend may act on, and how far (replimend.yaml)",
		of: settings.Settings{}, strict: true,
	},
	{file: "snapshot.schema.json", title: "What the cloud looks like around a replication route", of: snapshotFile{}},
}

// snapshotFile is a snapshot as it is written.
type snapshotFile struct {
	Schema string `json:"schema" jsonschema:"required,enum=replimend/snapshot/v1"`
	snapshot.Snapshot
}

// incidentFile is an incident as it is written.
type incidentFile struct {
	Schema string `json:"schema" jsonschema:"enum=replimend/incident/v1"`
	incident.Incident
}

// approvalFile is an approval as it is written.
type approvalFile struct {
	Schema string `json:"schema" jsonschema:"enum=replimend/approval/v1"`
	incident.Approval
}

const (
	module = "github.com/replimend/replimend"
	// home is where the files can be had, and the start of their identifiers.
	home = "https://raw.githubusercontent.com/replimend/replimend/main/docs/schema/"

	accountPattern = "^[0-9]{12}$"
	arnPattern     = "^arn:[^:]+:[^:]+:[^:]*:[0-9]{12}:.+$"
)

func (s schema) generate() ([]byte, error) {
	g := generator{
		defs:      jsonschema.Definitions{},
		reflector: &jsonschema.Reflector{CommentMap: map[string]string{}},
		commented: map[string]bool{},
	}
	g.reflector.Anonymous = true
	g.reflector.AllowAdditionalProperties = !s.strict
	g.reflector.RequiredFromJSONSchemaTags = !s.printed
	g.reflector.Mapper = g.mapped
	g.reflector.LookupComment = g.comment
	g.reflector.Namer = func(t reflect.Type) string {
		if t == reflect.TypeFor[route.Hop]() {
			return "HopName" // diagnose.Hop is the other one
		}
		return ""
	}

	root := *g.reflector
	root.ExpandedStruct = true
	out := root.Reflect(s.of)
	maps.Copy(g.defs, out.Definitions)
	out.Definitions = g.defs
	out.ID, out.Title = jsonschema.ID(home+s.file), s.title
	for _, name := range closed {
		if def, ok := g.defs[name]; ok {
			def.AdditionalProperties = jsonschema.FalseSchema
		}
	}
	finish(out)

	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		return nil, err
	}
	return text.Bytes(), g.err
}

// closed is the types that Parse refuses with a member that they do not have.
var closed = []string{"GrantConstraints"}

type generator struct {
	reflector *jsonschema.Reflector
	defs      jsonschema.Definitions
	commented map[string]bool // the packages whose comments are read
	inPlan    bool            // a plan is being reflected, rather than the place where one stands
	err       error
}

// nullable marks a value of three states until the tags of its field are applied, which they are to plain types alone.
const nullable = "nullable"

// mapped is the schema of the types whose JSON is not their Go shape.
func (g *generator) mapped(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == reflect.TypeFor[jsontree.Node]():
		return &jsonschema.Schema{Type: "object"}
	case t == reflect.TypeFor[policy.Document]():
		if err := json.Unmarshal([]byte(policySchema), &g.defs); err != nil {
			g.err = err
		}
		return &jsonschema.Schema{Ref: "#/$defs/PolicyDocument"}
	case t == reflect.TypeFor[policy.ARN]():
		return &jsonschema.Schema{Type: "string", Pattern: "^arn:"}
	case t.Kind() == reflect.Map && t.Key() == reflect.TypeFor[policy.ARN]():
		return g.mapOf(t.Elem(), arnPattern)
	case t == reflect.TypeFor[map[string]snapshot.Guardrails]():
		return g.mapOf(t.Elem(), accountPattern)
	case t.PkgPath() == module+"/internal/snapshot" && strings.HasPrefix(t.Name(), "Value["):
		v, _ := t.FieldByName("V")
		s := g.schemaOf(v.Type)
		s.Comments = nullable
		return s
	case t == reflect.TypeFor[diagnose.Context]():
		return g.schemaOf(reflect.TypeFor[map[string][]string]())
	case t == reflect.TypeFor[diagnose.Why]():
		return g.schemaOf(reflect.TypeFor[[]authz.Why]())
	case t == reflect.TypeFor[incident.Tally]():
		return g.schemaOf(reflect.TypeFor[incident.Tallied]())
	case t == reflect.TypeFor[patch.Tuple]():
		three := uint64(3)
		return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}, MinItems: &three, MaxItems: &three}
	case t == reflect.TypeFor[patch.Plan]() && !g.inPlan:
		// Where a plan stands there may be none.
		g.inPlan = true
		s := g.schemaOf(t)
		g.inPlan = false
		s.Comments = nullable
		return s
	case words[t] != nil:
		return &jsonschema.Schema{Type: "string", Enum: words[t]}
	}
	return nil
}

// words is the closed sets of words in what is printed.
var words = map[reflect.Type][]any{
	reflect.TypeFor[diagnose.Verdict](): {
		diagnose.Healthy, diagnose.Degraded, diagnose.Conditional, diagnose.Broken, diagnose.Unknown,
	},
	reflect.TypeFor[diagnose.HopVerdict](): {diagnose.HopAllowed, diagnose.HopDenied, diagnose.HopUnknown},
	reflect.TypeFor[diagnose.Severity]():   {diagnose.Fault, diagnose.Warning, diagnose.Advice},
	reflect.TypeFor[diagnose.Side]():       {diagnose.SourceSide, diagnose.DestinationSide, diagnose.PrincipalSide, diagnose.ResourceSide},
	reflect.TypeFor[incident.Outcome](): func() (out []any) {
		for _, o := range incident.Outcomes() {
			out = append(out, o)
		}
		return out
	}(),
	reflect.TypeFor[incident.ChangeState](): {
		incident.Intended, incident.Written, incident.Undoing, incident.Undone, incident.Unmade, incident.Overrun,
	},
	reflect.TypeFor[incident.JobState](): {incident.JobRunning, incident.JobComplete, incident.JobFailed, incident.JobCancelled},
	reflect.TypeFor[incident.Answer]():   {incident.Approve, incident.Decline},
	reflect.TypeFor[patch.Class]():       {patch.None, patch.Automatic, patch.Approval, patch.Manual},
	reflect.TypeFor[route.Evidence]():    {route.Documented, route.Disputed, route.Inferred},
	reflect.TypeFor[route.Need]():        {route.Required, route.Conditional, route.Partial, route.DenyOnly, route.Advisory},
	reflect.TypeFor[route.Hop](): func() (out []any) {
		for _, h := range route.Hops() {
			out = append(out, h.String())
		}
		return out
	}(),
	reflect.TypeFor[snapshot.Kind](): {
		snapshot.RolePolicy, snapshot.RoleTrust, snapshot.PermissionsBoundary, snapshot.SourceBucketPolicy,
		snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyGrant,
		snapshot.UserPolicy, snapshot.BucketPolicy, snapshot.KeyPolicy, snapshot.KeyState, snapshot.ReplicationConfig, snapshot.BucketConfig, snapshot.ObjectKind, snapshot.SCP, snapshot.RCP,
	},
}

func (g *generator) mapOf(elem reflect.Type, names string) *jsonschema.Schema {
	return &jsonschema.Schema{
		Type:                 "object",
		PropertyNames:        &jsonschema.Schema{Pattern: names},
		AdditionalProperties: g.schemaOf(elem),
	}
}

// schemaOf reflects a type that the reflector does not reach by itself.
func (g *generator) schemaOf(t reflect.Type) *jsonschema.Schema {
	if own := g.mapped(t); own != nil {
		return own
	}
	s := g.reflector.ReflectFromType(t)
	maps.Copy(g.defs, s.Definitions)
	s.Version, s.Definitions = "", nil
	return s
}

// comment is the comment of a type or a field in one line. It reads the source beside this package.
func (g *generator) comment(t reflect.Type, field string) string {
	dir, ours := strings.CutPrefix(t.PkgPath(), module+"/internal/")
	if !ours {
		return ""
	}
	if !g.commented[dir] {
		g.commented[dir] = true
		if err := g.reflector.AddGoComments(module+"/internal/schemagen", "../"+dir); err != nil {
			g.err = err
		}
	}
	key := t.PkgPath() + "." + t.Name()
	if field != "" {
		key += "." + field
	}
	return strings.Join(strings.Fields(g.reflector.CommentMap[key]), " ")
}

// finish gives the marked schemas below s their second state, null. The third, missing, every member has that is not required.
func finish(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	below := []*jsonschema.Schema{s.Items, s.AdditionalProperties}
	below = slices.AppendSeq(below, maps.Values(s.Definitions))
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			below = append(below, p.Value)
		}
	}
	for _, b := range below {
		finish(b)
	}
	if s.Comments == nullable {
		value := *s
		value.Comments, value.Description = "", ""
		*s = jsonschema.Schema{Description: s.Description, OneOf: []*jsonschema.Schema{&value, {Type: "null"}}}
	}
}

// policySchema is the shape of a policy. What Parse checks beyond that, such as operators and ARNs, a schema says badly.
const policySchema = `{
	"PolicyDocument": {
		"description": "A policy document, as an object and not as text.",
		"type": "object",
		"properties": {
			"Version": {"enum": ["2012-10-17", "2008-10-17"]},
			"Id": {"type": "string"},
			"Statement": {"oneOf": [
				{"$ref": "#/$defs/PolicyStatement"},
				{"type": "array", "items": {"$ref": "#/$defs/PolicyStatement"}}
			]}
		},
		"required": ["Statement"],
		"additionalProperties": false
	},
	"PolicyStatement": {
		"type": "object",
		"properties": {
			"Sid": {"type": "string"},
			"Effect": {"enum": ["Allow", "Deny"]},
			"Principal": {"$ref": "#/$defs/PolicyPrincipal"},
			"NotPrincipal": {"$ref": "#/$defs/PolicyPrincipal"},
			"Action": {"$ref": "#/$defs/StringOrList"},
			"NotAction": {"$ref": "#/$defs/StringOrList"},
			"Resource": {"$ref": "#/$defs/StringOrList"},
			"NotResource": {"$ref": "#/$defs/StringOrList"},
			"Condition": {"type": "object", "additionalProperties": {"type": "object"}}
		},
		"required": ["Effect"],
		"oneOf": [{"required": ["Action"]}, {"required": ["NotAction"]}],
		"additionalProperties": false
	},
	"PolicyPrincipal": {
		"oneOf": [
			{"const": "*"},
			{
				"type": "object",
				"properties": {
					"AWS": {"$ref": "#/$defs/StringOrList"},
					"Service": {"$ref": "#/$defs/StringOrList"},
					"Federated": {"$ref": "#/$defs/StringOrList"},
					"CanonicalUser": {"$ref": "#/$defs/StringOrList"}
				},
				"additionalProperties": false
			}
		]
	},
	"StringOrList": {
		"oneOf": [
			{"type": "string"},
			{"type": "array", "items": {"type": "string"}}
		]
	}
}`
