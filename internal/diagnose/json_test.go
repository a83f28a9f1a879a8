package diagnose_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/diagnose"
)

// shape is the members of one object of the contract: those that must be there, and those that may.
type shape struct{ must, may string }

var (
	diagnosisShape = shape{must: "schema routes", may: "accesses proposals findings"}
	routeShape     = shape{must: "source rule destination role verdict hops findings plan", may: "objects writers hints"}
	hintShape      = shape{must: "reason text", may: "meaning agrees"}
	accessShape    = shape{must: "principal bucket operation verdict hops findings plan", may: "key objects"}
	hopShape       = shape{must: "hop verdict requests"}
	requestShape   = shape{must: "principal action resource context decision why", may: "evidence need"}
	whyShape       = shape{must: "document statement effect reason"}
	findingShape   = shape{must: "cause side document severity evidence remedy message", may: "hop grants observed"}
	refShape       = shape{must: "kind id", may: "name"}
	planShape      = shape{must: "edits proof class", may: "cost alternatives owners"}
	editShape      = shape{must: "document before after adds", may: "account cures class"}
	proofShape     = shape{must: "before after"}
)

const (
	verdicts  = "healthy degraded conditional broken unknown"
	hopNames  = "assume-role read-config read-object decrypt-source write-replica encrypt-replica own-replica write-tags write-delete-marker lock-replica get-object decrypt-object put-object encrypt-object"
	classes   = "none automatic approval manual"
	kinds     = "role-policy role-trust permissions-boundary source-bucket-policy destination-bucket-policy source-key-policy replica-key-policy key-grant key-state replication-config bucket-config object scp rcp user-policy bucket-policy key-policy"
	evidences = "documented disputed inferred"
)

// shapes collects what departs from the contract.
type shapes struct{ faults []string }

func (c *shapes) report(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *shapes) object(v any, want shape, path string) tree {
	m, ok := v.(tree)
	if !ok {
		c.report("%s: want an object, got %T", path, v)
		return tree{}
	}
	must, may := strings.Fields(want.must), strings.Fields(want.may)
	for _, name := range must {
		if _, ok := m[name]; !ok {
			c.report("%s: no member %s", path, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(must, name) && !slices.Contains(may, name) {
			c.report("%s: unknown member %s", path, name)
		}
	}
	return m
}

func (c *shapes) list(v any, path string, each func(v any, path string)) {
	items, ok := v.([]any)
	if !ok {
		c.report("%s: want a list, got %T", path, v)
	}
	for i, item := range items {
		each(item, fmt.Sprintf("%s[%d]", path, i))
	}
}

func (c *shapes) oneOf(v any, set, path string) {
	if s, ok := v.(string); !ok || !slices.Contains(strings.Fields(set), s) {
		c.report("%s: %v is none of %s", path, v, set)
	}
}

func (c *shapes) texts(path string, values ...any) {
	for _, v := range values {
		if _, ok := v.(string); !ok {
			c.report("%s: want a string, got %T", path, v)
		}
	}
}

func (c *shapes) diagnosis(v any) {
	d := c.object(v, diagnosisShape, "diagnosis")
	c.oneOf(d["schema"], diagnose.Schema, "schema")
	c.list(d["routes"], "routes", c.route)
	if d["findings"] != nil {
		c.list(d["findings"], "findings", c.finding)
	}
	if d["accesses"] != nil {
		c.list(d["accesses"], "accesses", c.access)
	}
}

func (c *shapes) access(v any, path string) {
	a := c.object(v, accessShape, path)
	c.texts(path, a["principal"], a["bucket"])
	c.oneOf(a["operation"], "get put", path+".operation")
	c.judged(a, path)
}

func (c *shapes) route(v any, path string) {
	r := c.object(v, routeShape, path)
	c.texts(path, r["source"], r["rule"], r["destination"], r["role"])
	c.judged(r, path)
}

// judged is what routes and accesses have in common.
func (c *shapes) judged(r tree, path string) {
	c.oneOf(r["verdict"], verdicts, path+".verdict")
	c.list(r["hops"], path+".hops", func(v any, path string) {
		h := c.object(v, hopShape, path)
		c.oneOf(h["hop"], hopNames, path+".hop")
		c.oneOf(h["verdict"], "allowed denied unknown", path+".verdict")
		c.list(h["requests"], path+".requests", c.request)
	})
	c.list(r["findings"], path+".findings", c.finding)
	if r["hints"] != nil {
		c.list(r["hints"], path+".hints", func(v any, path string) {
			h := c.object(v, hintShape, path)
			c.texts(path, h["reason"], h["text"])
		})
	}
	if r["plan"] != nil {
		c.plan(r["plan"], path+".plan")
	}
}

func (c *shapes) request(v any, path string) {
	q := c.object(v, requestShape, path)
	c.texts(path, q["principal"], q["action"], q["resource"])
	c.oneOf(q["decision"], "allowed explicit_deny implicit_deny unknown", path+".decision")
	if _, ok := q["context"].(tree); !ok {
		c.report("%s.context: want an object, got %T", path, q["context"])
	}
	c.list(q["why"], path+".why", func(v any, path string) {
		w := c.object(v, whyShape, path)
		c.texts(path, w["document"], w["statement"], w["reason"])
		c.oneOf(w["effect"], "Allow Deny none", path+".effect")
	})
}

func (c *shapes) finding(v any, path string) {
	f := c.object(v, findingShape, path)
	c.texts(path, f["cause"], f["message"])
	c.oneOf(f["side"], "source destination principal resource", path+".side")
	c.oneOf(f["severity"], "fault warning advice", path+".severity")
	c.oneOf(f["evidence"], evidences, path+".evidence")
	c.oneOf(f["remedy"], classes, path+".remedy")
	c.ref(f["document"], path+".document")
	if f["hop"] != nil {
		c.oneOf(f["hop"], hopNames, path+".hop")
	}
}

func (c *shapes) ref(v any, path string) {
	ref := c.object(v, refShape, path)
	c.oneOf(ref["kind"], kinds, path+".kind")
	c.texts(path, ref["id"])
}

func (c *shapes) plan(v any, path string) {
	p := c.object(v, planShape, path)
	c.oneOf(p["class"], "automatic approval", path+".class")
	proof := c.object(p["proof"], proofShape, path+".proof")
	c.oneOf(proof["before"], verdicts, path+".proof.before")
	c.oneOf(proof["after"], verdicts, path+".proof.after")
	c.list(p["edits"], path+".edits", func(v any, path string) {
		e := c.object(v, editShape, path)
		c.ref(e["document"], path+".document")
		for _, name := range []string{"before", "after"} {
			if _, ok := e[name].(tree); !ok && (e[name] != nil || name == "after") {
				c.report("%s.%s: want a document, got %T", path, name, e[name])
			}
		}
		c.list(e["adds"], path+".adds", func(v any, path string) {
			if tuple, ok := v.([]any); !ok || len(tuple) != 3 {
				c.report("%s: want principal, action and resource, got %v", path, v)
			}
		})
	})
}

func TestDiagnosisPrintsTheShapesOfTheContract(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/causes/*/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range paths {
		s, hints, _ := readCase(t, path)
		text, err := json.Marshal(diagnoseCase(t, path, s, hints))
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		var c shapes
		if c.diagnosis(v); len(c.faults) > 0 {
			t.Errorf("%s: %s", path, strings.Join(c.faults, "; "))
		}
	}
}

func TestSnapshotWithoutRoutesHasAnEmptyList(t *testing.T) {
	t.Parallel()
	s := readBase(t, "base/cross-account-kms", `{"buckets": {"amzn-s3-demo-source": {"replication": null}}}`)
	text, err := json.Marshal(diagnose.Diagnose(s, nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"schema":"replimend/diagnosis/v1","routes":[]}`; string(text) != want {
		t.Errorf("want %s, got %s", want, text)
	}
}

// TestPlanPrintsDocumentsAsTheyWouldBe holds one plan literally: the role gets a policy beside its own, so that before is null.
func TestPlanPrintsDocumentsAsTheyWouldBe(t *testing.T) {
	t.Parallel()
	s, _, _ := readCase(t, "testdata/causes/role-lacks-source-decrypt/statement-dropped.txtar")
	got, err := json.MarshalIndent(diagnose.Diagnose(s, nil).Routes[0].Plan, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "edits": [
    {
      "document": {
        "kind": "role-policy",
        "id": "arn:aws:iam::111122223333:role/service-role/replication",
        "name": "Replimend"
      },
      "before": null,
      "after": {
        "Version": "2012-10-17",
        "Statement": [
          {
            "Sid": "SID",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "Condition": {
              "StringEquals": {
                "kms:ViaService": "s3.us-east-1.amazonaws.com"
              },
              "StringLike": {
                "kms:EncryptionContext:aws:s3:arn": [
                  "arn:aws:s3:::amzn-s3-demo-source",
                  "arn:aws:s3:::amzn-s3-demo-source/*"
                ]
              }
            }
          }
        ]
      },
      "adds": [
        [
          "arn:aws:iam::111122223333:role/service-role/replication",
          "kms:Decrypt",
          "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        ]
      ],
      "account": "111122223333",
      "cures": [
        "role-lacks-source-decrypt"
      ],
      "class": "automatic"
    }
  ],
  "proof": {
    "before": "broken",
    "after": "healthy"
  },
  "class": "automatic",
  "cost": {
    "accounts": 0,
    "documents": 1,
    "shared": 0,
    "adds": 1
  },
  "alternatives": [
    {
      "documents": [
        {
          "kind": "source-key-policy",
          "id": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        }
      ],
      "cost": {
        "accounts": 0,
        "documents": 1,
        "shared": 1,
        "adds": 1
      },
      "why": "others' access hangs on a bucket's or key's policy; an inline policy concerns its own principal alone, and deleting it undoes the edit"
    }
  ]
}`
	sid := regexp.MustCompile(`ReplimendDecrypt[0-9A-F]{8}`)
	text := sid.ReplaceAllString(string(got), "SID")
	if diff := gocmp.Diff(want, text); diff != "" {
		t.Errorf("plan differs (-want +got):\n%s", diff)
	}
}
