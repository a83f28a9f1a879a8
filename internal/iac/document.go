package iac

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// plan is what every format prints.
type plan struct {
	titles   []string
	accounts []account
	hash     string
}

// account is what one account has to do. Another account's documents are the other half of the same cure.
type account struct {
	id        string
	documents []document
}

// kind is whose policy a document is, which decides what code can hold it.
type kind int

const (
	rolePolicy kind = iota
	userPolicy
	roleTrust
	bucketPolicy
	keyPolicy
)

// document is one merged edit.
type document struct {
	edit patch.Edit
	kind kind
	// name is the role, user, bucket or key id; policyName is that of an inline policy; arn and region are the key's.
	name, policyName, arn, region string
	// label names the document in code: lower-case words joined by _, unique in the plan also without the _.
	label string
	after jsontree.Node
}

// Names as AWS takes them.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html has today's rules; old buckets have longer names.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-id
var (
	holderName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	inlineName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,128}$`)
	bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$`)
	keyID      = regexp.MustCompile(`^key/[A-Za-z0-9-]{1,128}$`)
	regionName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)
	partition  = regexp.MustCompile(`^aws[a-z-]{0,20}$`)
)

func newPlan(routes []Route) (plan, error) {
	var p plan
	var plans []patch.Plan
	for _, r := range routes {
		p.titles = append(p.titles, r.Title)
		if r.Plan != nil {
			plans = append(plans, *r.Plan)
		}
	}
	edits, err := patch.Merge(plans...)
	if err != nil {
		return p, err
	}
	p.hash = patch.Plan{Edits: edits}.Hash()[:12]
	used := map[string]bool{}
	for _, e := range edits {
		d, err := newDocument(e)
		if err != nil {
			return p, fmt.Errorf("%s: %w", e.Document, err)
		}
		d.label = unused(used, d.label)
		i := slices.IndexFunc(p.accounts, func(a account) bool { return a.id == e.Account })
		if i < 0 {
			i = len(p.accounts)
			p.accounts = append(p.accounts, account{id: e.Account})
		}
		p.accounts[i].documents = append(p.accounts[i].documents, d)
	}
	return p, nil
}

func newDocument(e patch.Edit) (document, error) {
	d := document{edit: e}
	if !policy.IsAccountID(e.Account) {
		return d, fmt.Errorf("its owner is not known: the account is %q", e.Account)
	}
	if err := d.identify(); err != nil {
		return d, err
	}
	if (d.kind == roleTrust || d.kind == keyPolicy) && e.Before.State != snapshot.Present {
		return d, errors.New("there is no policy to edit, and AWS has none without")
	}
	text, err := e.After.V.MarshalJSON()
	if err != nil {
		return d, err
	}
	if d.after, err = jsontree.Parse(text, policy.MaxSize); err != nil {
		return d, err
	}
	return d, nil
}

// identify reads the names of what the document belongs to.
func (d *document) identify() error {
	ref := d.edit.Document
	switch ref.Kind {
	case snapshot.RoleTrust:
		d.kind = roleTrust
		if err := d.holder(); err != nil {
			return err
		}
		d.label = words("trust", d.name)
	case snapshot.RolePolicy, snapshot.UserPolicy:
		if ref.Kind == snapshot.UserPolicy {
			d.kind = userPolicy
		}
		if err := d.holder(); err != nil {
			return err
		}
		d.policyName, d.label = ref.Name, words(d.noun(), d.name, ref.Name)
		if !inlineName.MatchString(d.policyName) {
			return fmt.Errorf("no inline policy can have the name %q", d.policyName)
		}
	case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.BucketPolicy:
		d.kind, d.name, d.label = bucketPolicy, ref.ID, words("bucket", ref.ID)
		if !bucketName.MatchString(d.name) {
			return errors.New("no bucket can have that name")
		}
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyPolicy:
		arn, err := policy.ParseARN(ref.ID)
		if err != nil {
			return err
		}
		d.kind, d.name, d.arn, d.region, d.label = keyPolicy, arn.Name(), ref.ID, arn.Region, words("key", arn.Name())
		if arn.Account != d.edit.Account || arn.Service != "kms" || !keyID.MatchString(arn.Resource) ||
			!regionName.MatchString(arn.Region) || !partition.MatchString(arn.Partition) {
			return fmt.Errorf("no key of account %s can have that ARN", d.edit.Account)
		}
	default:
		return errors.New("its kind has no code")
	}
	return nil
}

// holder reads the name of the role or user that has the document.
func (d *document) holder() error {
	arn, err := policy.ParseARN(d.edit.Document.ID)
	if err != nil {
		return err
	}
	d.name = arn.Name()
	if arn.Account != d.edit.Account || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, d.noun()+"/") || !holderName.MatchString(d.name) {
		return fmt.Errorf("no %s of account %s can have that ARN", d.noun(), d.edit.Account)
	}
	return nil
}

// noun is who has an inline policy or a trust policy, as the commands and resources of IAM call it.
func (d document) noun() string {
	if d.kind == userPolicy {
		return "user"
	}
	return "role"
}

var notWord = regexp.MustCompile(`[^a-z0-9]+`)

// words is a label, cut so that it fits every format.
func words(parts ...string) string {
	label := notWord.ReplaceAllString(strings.ToLower(strings.Join(parts, "_")), "_")
	return strings.Trim(label[:min(len(label), 100)], "_")
}

// unused compares without _, because the camel case of a_1b and a1b is the same.
func unused(used map[string]bool, label string) string {
	squashed := func(s string) string { return strings.ReplaceAll(s, "_", "") }
	out := label
	for n := 2; used[squashed(out)]; n++ {
		out = fmt.Sprintf("%s_%d", label, n)
	}
	used[squashed(out)] = true
	return out
}

// camel is the label in camel case.
func (d document) camel() string {
	var b strings.Builder
	for word := range strings.SplitSeq(d.label, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// what is the document in the words of people.
func (d document) what() string {
	switch d.kind {
	case rolePolicy, userPolicy:
		return fmt.Sprintf("inline policy %s of %s %s", d.policyName, d.noun(), d.name)
	case roleTrust:
		return "trust policy of role " + d.name
	case bucketPolicy:
		return "policy of bucket " + d.name
	default:
		return "policy of key " + d.arn
	}
}

// existed says whether there was a document before the edit.
func (d document) existed() bool { return d.edit.Before.State == snapshot.Present }

// facts is what an edit adds and who must agree, a line each.
func (d document) facts() []string {
	var out []string
	for _, t := range d.edit.Adds {
		out = append(out, fmt.Sprintf("adds: %s may %s on %s", t[0], t[1], t[2]))
	}
	if len(d.edit.Cures) > 0 {
		out = append(out, "cures: "+strings.Join(d.edit.Cures, ", "))
	}
	class := "class: " + string(d.edit.Class)
	if d.edit.Class == patch.Approval {
		class += ", so that a person must agree first"
	}
	return append(out, class)
}

// head is what every format says first.
func (p plan) head() []string {
	out := slices.Clone(p.titles)
	if len(p.accounts) == 0 {
		return append(out, "there is nothing to change")
	}
	if len(p.accounts) > 1 {
		var ids []string
		for _, a := range p.accounts {
			ids = append(ids, a.id)
		}
		out = append(out, "accounts "+strings.Join(ids, ", ")+" own a part each, and every part is needed")
	}
	return out
}

// comment is lines behind a mark of the format that makes the rest of a line a comment. Line breaks and what else is not
// printed become a replacement character, so that no text can end its line.
func comment(mark string, lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		text := strings.Map(func(r rune) rune {
			if jsontree.Visible(r) {
				return r
			}
			return unicode.ReplacementChar
		}, line)
		b.WriteString(strings.TrimRight(mark+" "+text, " ") + "\n")
	}
	return b.String()
}

// elements is the names of the policy grammar, which every format can write without quotes. All others are quoted: they may be
// words of the format, as Null is in YAML.
var elements = map[string]bool{
	"Version": true, "Id": true, "Statement": true, "Sid": true, "Effect": true, "Principal": true, "NotPrincipal": true,
	"Action": true, "NotAction": true, "Resource": true, "NotResource": true, "Condition": true,
	"AWS": true, "Service": true, "Federated": true, "CanonicalUser": true,
}

// eachText calls check with every name and every string of the document.
func eachText(n jsontree.Node, check func(text string, isName bool) error) error {
	if n.Kind == jsontree.String {
		return check(n.Text, false)
	}
	for _, item := range n.Items {
		if err := eachText(item, check); err != nil {
			return err
		}
	}
	for _, f := range n.Fields {
		if err := check(f.Name, true); err != nil {
			return err
		}
		if err := eachText(f.Value, check); err != nil {
			return err
		}
	}
	return nil
}
