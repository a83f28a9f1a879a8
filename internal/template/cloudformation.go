package template

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// stack is one CloudFormation template in its account and Region.
type stack struct {
	world   *world
	file    File
	root    jsontree.Node
	home    Home
	assumed []string

	steps, depth int
	busy         map[string]bool
	done         map[string]jsontree.Node
}

func newStack(w *world, f File, root jsontree.Node) (*stack, error) {
	home, assumed, err := f.home(root)
	if err != nil {
		return nil, err
	}
	s := &stack{world: w, file: f, root: root, home: home, assumed: assumed, busy: make(map[string]bool), done: make(map[string]jsontree.Node)}
	for _, r := range root.Get("Resources").Fields {
		if strings.HasPrefix(r.Name, "Fn::") {
			return nil, jsontree.Errorf(r.Value, "Resources", "%.60s makes resources when it is deployed: give the processed template, as aws cloudformation get-template --template-stage Processed prints it", r.Name)
		}
	}
	w.stacks = append(w.stacks, s)
	return s, nil
}

func (s *stack) source() Source {
	return Source{Label: s.file.Label, Format: CloudFormation, Account: s.home.Account, Region: s.home.Region, Assumed: s.assumed}
}

func (s *stack) origin(id string) Origin {
	return Origin{File: s.file.Label, Address: id, Line: s.resource(id).Pos.Line}
}

func (s *stack) resource(id string) jsontree.Node { return s.root.Get("Resources").Get(id) }

// property is a resolved property of a resource.
func (s *stack) property(id, name string) jsontree.Node {
	return s.guarded("property "+id+"\x00"+name, s.resource(id), func() jsontree.Node {
		return s.resolve(s.resource(id).Get("Properties").Get(name))
	})
}

func (s *stack) partition() string { return policy.Partition(s.home.Region) }

func (s *stack) arn(service, region, account, resource string) jsontree.Node {
	return jsontree.Str(policy.ARN{Partition: s.partition(), Service: service, Region: region, Account: account, Resource: resource}.String())
}

// attribute is what Ref or Fn::GetAtt give of a resource.
func (s *stack) attribute(at jsontree.Node, id, attribute string) jsontree.Node {
	r := s.resource(id)
	if !r.Present() {
		return unknown(at, "the template has no %.80s", id)
	}
	switch made := s.exists(r); {
	case isUnknown(made):
		return unknown(at, "whether %.80s is made is not resolved: %s", id, made.Text)
	case !made.Bool:
		return unknown(at, "%.80s is not made: its condition is false", id)
	}
	kind := r.Get("Type").Text
	if v, ok := s.known(id, kind, attribute); ok {
		return v
	}
	return unknown(at, "%.80s of %.80s (%.60s) is known when the stack is deployed", attribute, id, kind)
}

// known is the attributes that follow from a template, names that AWS makes up among them.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
func (s *stack) known(id, kind, attribute string) (jsontree.Node, bool) {
	home := s.home
	switch kind + " " + attribute {
	case "AWS::S3::Bucket Ref":
		name, _ := s.bucketName(id)
		return name, true
	case "AWS::S3::Bucket Arn":
		name, _ := s.bucketName(id)
		return prefixed("arn:"+s.partition()+":s3:::", name), true
	case "AWS::IAM::Role Ref":
		name, _ := s.roleName(id)
		return name, true
	case "AWS::IAM::Role Arn":
		return s.roleARN(id), true
	case "AWS::IAM::ManagedPolicy Ref", "AWS::IAM::ManagedPolicy PolicyArn":
		return s.managedARN(id), true
	case "AWS::KMS::Key Ref", "AWS::KMS::Key KeyId", "AWS::KMS::ReplicaKey Ref", "AWS::KMS::ReplicaKey KeyId":
		return s.keyID(id), true
	case "AWS::KMS::Key Arn", "AWS::KMS::ReplicaKey Arn":
		return prefixed(s.arn("kms", home.Region, home.Account, "key/").Text, s.keyID(id)), true
	case "AWS::KMS::Alias Ref":
		return s.property(id, "AliasName"), true
	case "AWS::SNS::Topic Ref", "AWS::SNS::Topic TopicArn":
		return s.namedARN(id, "TopicName", "sns", ""), true
	case "AWS::SQS::Queue Arn":
		return s.namedARN(id, "QueueName", "sqs", ""), true
	case "AWS::Lambda::Function Arn":
		return s.namedARN(id, "FunctionName", "lambda", "function:"), true
	default:
		return jsontree.Node{}, false
	}
}

// namedARN is the ARN of what decides nothing here but may be named: its name is its own or a stand-in.
func (s *stack) namedARN(id, property, service, prefix string) jsontree.Node {
	name := orDefault(s.property(id, property), jsontree.Str(roleStandIn(s.file.seed, id)))
	return prefixed("arn:"+s.partition()+":"+service+":"+s.home.Region+":"+s.home.Account+":"+prefix, name)
}

func prefixed(prefix string, n jsontree.Node) jsontree.Node {
	if s, ok := text(n); ok {
		return jsontree.Str(prefix + s)
	}
	return n
}

// bucketName is a bucket's name, and whether it is a stand-in for one that CloudFormation makes up.
func (s *stack) bucketName(id string) (name jsontree.Node, madeUp bool) {
	if n := s.property(id, "BucketName"); n.Present() || isUnknown(n) {
		return n, false
	}
	return jsontree.Str(bucketStandIn(s.file.seed, id)), true
}

func (s *stack) roleName(id string) (name jsontree.Node, madeUp bool) {
	if n := s.property(id, "RoleName"); n.Present() || isUnknown(n) {
		return n, false
	}
	return jsontree.Str(roleStandIn(s.file.seed, id)), true
}

func (s *stack) roleARN(id string) jsontree.Node {
	name, _ := s.roleName(id)
	path := orDefault(s.property(id, "Path"), jsontree.Str("/"))
	p, ok := text(path)
	if !ok {
		return path
	}
	return prefixed(s.arn("iam", "", s.home.Account, "role"+p).Text, name)
}

func (s *stack) managedARN(id string) jsontree.Node {
	name := orDefault(s.property(id, "ManagedPolicyName"), jsontree.Str(roleStandIn(s.file.seed, id)))
	path := orDefault(s.property(id, "Path"), jsontree.Str("/"))
	p, ok := text(path)
	if !ok {
		return path
	}
	return prefixed(s.arn("iam", "", s.home.Account, "policy"+p).Text, name)
}

// keyID is always a stand-in, but for a replica's: related keys share their id.
// https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
func (s *stack) keyID(id string) jsontree.Node {
	if s.resource(id).Get("Type").Text == "AWS::KMS::ReplicaKey" {
		primary := s.property(id, "PrimaryKeyArn")
		t, ok := text(primary)
		a, err := policy.ParseARN(t)
		switch {
		case !ok:
			return jsontree.Str(keyStandIn(s.file.seed, id, true))
		case err != nil || !strings.HasPrefix(a.Resource, "key/mrk-"):
			return unknown(primary, "%.120s is no ARN of a multi-Region key", t)
		}
		return jsontree.Str(strings.TrimPrefix(a.Resource, "key/"))
	}
	multi := s.property(id, "MultiRegion")
	if isUnknown(multi) {
		return multi
	}
	return jsontree.Str(keyStandIn(s.file.seed, id, isTrue(multi)))
}

// reader is what adds a resource of that type to the world, nil for types that have nothing to do with replication.
func (s *stack) reader(kind string) func(id string) error {
	switch kind {
	case "AWS::S3::Bucket":
		return s.readBucket
	case "AWS::S3::BucketPolicy":
		return s.readBucketPolicy
	case "AWS::IAM::Role":
		return s.readRole
	case "AWS::IAM::Policy", "AWS::IAM::RolePolicy":
		return s.readInline
	case "AWS::IAM::ManagedPolicy":
		return s.readManaged
	case "AWS::KMS::Key", "AWS::KMS::ReplicaKey":
		return s.readKey
	case "AWS::KMS::Alias":
		return s.readAlias
	case "Custom::S3BucketNotifications":
		return s.readNotifications
	case "AWS::CloudFormation::Stack":
		return func(id string) error {
			const text = "what the nested stack makes is not known here: give its template as a further file"
			if s.world.files > 1 { // perhaps it is among them
				s.world.note(s.origin(id), text)
			} else {
				s.world.incomplete(s.origin(id), text)
			}
			return nil
		}
	default:
		return nil
	}
}

func (s *stack) read() error {
	for _, r := range s.root.Get("Resources").Fields {
		add := s.reader(r.Value.Get("Type").Text)
		if add == nil {
			continue
		}
		made := s.exists(r.Value)
		if isUnknown(made) {
			s.readPerhaps(r.Name, r.Value.Get("Type").Text, made)
			continue
		}
		if !made.Bool {
			continue
		}
		if err := add(r.Name); err != nil {
			return err
		}
	}
	return nil
}

// readPerhaps keeps in mind a resource of which it is not known whether it is made.
func (s *stack) readPerhaps(id, kind string, why jsontree.Node) {
	o := s.origin(id)
	if kind == "AWS::S3::Bucket" {
		s.world.incomplete(o, "the bucket and its rules are not judged, whether it is made is not resolved: "+why.Text)
	} else {
		s.world.note(o, "whether it is made is not resolved: "+why.Text)
	}
	owner := unknown(why, "whether it is made is not resolved: %s", why.Text)
	switch kind {
	case "AWS::S3::BucketPolicy":
		s.world.setBucketPolicy(owner, s.home.Account, &document{o, owner})
	case "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy":
		s.world.attachInline(jsontree.List(owner), s.home.Account, id, &document{o, owner})
	case "AWS::KMS::Alias":
		s.world.addAlias(owner, owner, s.home, o)
	}
}

func (s *stack) readBucket(id string) error {
	o := s.origin(id)
	name, madeUp := s.bucketName(id)
	n, ok := text(name)
	if !ok {
		s.world.incomplete(o, "the bucket and its rules are not judged, its name is not resolved: "+name.Text)
		return nil
	}
	o.StandIn = madeUp
	b := &bucket{origin: o, home: s.home, config: make(map[string]jsontree.Node)}
	set := func(member string, n jsontree.Node) { b.config[member] = n }
	set("versioning", at(s.property(id, "VersioningConfiguration"), "Status"))
	set("encryption", reshapeIf(s.property(id, "BucketEncryption"), cfnEncryption))
	set("ownership", at(s.property(id, "OwnershipControls"), "Rules", "0", "ObjectOwnership"))
	set("publicAccessBlock", reshapeIf(s.property(id, "PublicAccessBlockConfiguration"), publicAccess))
	set("notifications", reshapeIf(s.property(id, "NotificationConfiguration"), cfnNotifications))
	set("objectLock", objectLock(s.property(id, "ObjectLockEnabled")))
	set("tags", tags(s.property(id, "Tags")))
	set("replication", reshapeIf(s.property(id, "ReplicationConfiguration"), cfnReplication))
	return s.world.addBucket(n, b)
}

func (s *stack) readNotifications(id string) error {
	owner, config := s.property(id, "BucketName"), reshapeIf(s.property(id, "NotificationConfiguration"), apiNotifications)
	s.world.later = append(s.world.later, func() {
		if name, ok := text(owner); ok {
			if b := s.world.buckets[name]; b != nil {
				b.config["notifications"] = config
			}
		}
	})
	return nil
}

func (s *stack) readBucketPolicy(id string) error {
	s.world.setBucketPolicy(s.property(id, "Bucket"), s.home.Account, &document{s.origin(id), s.property(id, "PolicyDocument")})
	return nil
}

func (s *stack) readRole(id string) error {
	o := s.origin(id)
	_, o.StandIn = s.roleName(id)
	t := s.roleARN(id)
	arn, err := policy.ParseARN(t.Text)
	if isUnknown(t) || err != nil {
		s.world.note(o, "the role is not judged, its name is not resolved: "+t.Text)
		return nil
	}
	r := &role{origin: o, trust: &document{o, s.property(id, "AssumeRolePolicyDocument")}, inline: make(map[string]*document), attached: make(map[string]*document)}
	r.boundary = s.property(id, "PermissionsBoundary")
	policies := s.property(id, "Policies")
	if isUnknown(policies) {
		r.perhaps = policies.Text
	}
	for i, p := range policies.Items {
		if isUnknown(p) {
			r.perhaps = p.Text
			continue
		}
		name := textOr(p.Get("PolicyName"), fmt.Sprintf("#%d", i+1))
		r.inline[name] = &document{placed(o, p.Get("PolicyDocument")), p.Get("PolicyDocument")}
	}
	if err := s.world.addRole(arn, r); err != nil {
		return err
	}
	attached := s.property(id, "ManagedPolicyArns")
	if isUnknown(attached) {
		r.perhaps = attached.Text
	}
	for _, a := range attached.Items {
		if t, ok := text(a); ok {
			s.world.attachManaged(jsontree.Str(arn.String()), s.home.Account, t, o)
		} else {
			r.perhaps = a.Text
		}
	}
	return nil
}

// readInline is a policy that is written into roles: AWS::IAM::Policy has several, AWS::IAM::RolePolicy one.
func (s *stack) readInline(id string) error {
	owners := s.property(id, "Roles")
	if one := s.property(id, "RoleName"); one.Present() || isUnknown(one) {
		owners = jsontree.List(one)
	}
	if isUnknown(owners) {
		owners = jsontree.List(owners)
	}
	name := textOr(s.property(id, "PolicyName"), id)
	s.world.attachInline(owners, s.home.Account, name, &document{s.origin(id), s.property(id, "PolicyDocument")})
	return nil
}

func (s *stack) readManaged(id string) error {
	arn := s.managedARN(id)
	owners := s.property(id, "Roles")
	d := &document{s.origin(id), s.property(id, "PolicyDocument")}
	t, ok := text(arn)
	if !ok {
		t = "unresolved " + id
	}
	s.world.managed[t] = d
	s.world.origins[t] = d.origin
	if isUnknown(owners) {
		owners = jsontree.List(owners)
	}
	for _, owner := range owners.Items {
		s.world.attachManaged(owner, s.home.Account, t, d.origin)
	}
	return nil
}

func (s *stack) readKey(id string) error {
	o := s.origin(id)
	o.StandIn = true
	keyID, ok := text(s.keyID(id))
	if !ok {
		s.world.note(o, "the key is not judged, its id is not resolved: "+s.keyID(id).Text)
		return nil
	}
	arn := policy.ARN{Partition: s.partition(), Service: "kms", Region: s.home.Region, Account: s.home.Account, Resource: "key/" + keyID}
	k := &key{origin: o, home: s.home, state: "Enabled", spec: s.property(id, "KeySpec"), usage: s.property(id, "KeyUsage"), multiRegion: strings.HasPrefix(keyID, "mrk-")}
	switch enabled := s.property(id, "Enabled"); {
	case isUnknown(enabled):
		k.state = ""
		s.world.note(o, "whether the key is enabled is not resolved: "+enabled.Text)
	case enabled.Present() && !isTrue(enabled):
		k.state = "Disabled"
	}
	if textOr(s.property(id, "Origin"), "AWS_KMS") == "EXTERNAL" {
		k.state = "PendingImport"
	}
	if d := s.property(id, "KeyPolicy"); d.Present() || isUnknown(d) {
		k.policy = &document{o, d}
	}
	return s.world.addKey(arn, k)
}

func (s *stack) readAlias(id string) error {
	s.world.addAlias(s.property(id, "AliasName"), s.property(id, "TargetKeyId"), s.home, s.origin(id))
	return nil
}

// at goes down a tree; an unknown value on the way is the answer, and "0" is the first of a list.
func at(n jsontree.Node, path ...string) jsontree.Node {
	for _, step := range path {
		switch {
		case isUnknown(n):
			return n
		case step == "0" && n.Kind == jsontree.Array:
			if len(n.Items) == 0 {
				return jsontree.Node{}
			}
			n = n.Items[0]
		case step != "0":
			n = n.Get(step)
		}
	}
	return n
}

// reshapeIf is reshape of what is there.
func reshapeIf(n jsontree.Node, members []member) jsontree.Node {
	if !n.Present() || n.Kind == jsontree.Null {
		return n
	}
	return reshape(n, members)
}

func objectLock(enabled jsontree.Node) jsontree.Node {
	if isUnknown(enabled) {
		return enabled
	}
	if !isTrue(enabled) {
		return jsontree.Node{}
	}
	return jsontree.Obj(jsontree.Member{Name: "ObjectLockEnabled", Value: jsontree.Str("Enabled")})
}

// tags is a list of keys and values as an object.
func tags(n jsontree.Node) jsontree.Node {
	if isUnknown(n) {
		return n
	}
	out := jsontree.Obj()
	for _, t := range n.Items {
		if u, ok := unresolved(t); ok {
			return u
		}
		out = out.With(textOr(t.Get("Key"), ""), jsontree.Str(textOr(t.Get("Value"), "")))
	}
	return out
}
