package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/settings"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// stage is a run between two accounts of moto. What the CDK deploys is made by hand, as far as cleaning up has to deal with it.
type stage struct {
	t    *testing.T
	r    *rehearsal
	out  bytes.Buffer
	made []string // the targets of the Makefile that were run, with their stacks
	in   func(w http.ResponseWriter, r *http.Request) bool
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := mototest.Start(t)
	st := &stage{t: t}
	address := s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool { return st.in != nil && st.in(w, r) })
	of := func(profile, region string) account {
		id := s.Account()
		return account{ID: id, Profile: profile, Region: region, cfg: s.ConfigAt(t, address, id, region)}
	}
	source, destination := of("source", "us-east-1"), of("destination", "eu-west-1")
	st.r = &rehearsal{
		Name: prefix + "-" + source.ID[4:], Source: source, Destination: destination,
		out: &st.out, make: st.make, every: time.Millisecond, patience: time.Minute,
	}
	return st
}

// make stands in for the CDK: it makes and removes one thing of each kind that outlives its stack, or that cleaning up looks at.
func (st *stage) make(ctx context.Context, _ io.Writer, profile string, args ...string) error {
	stacks := strings.TrimPrefix(args[2], "STACKS=")
	st.made = append(st.made, profile+" "+args[0]+" "+stacks)
	if _, err := os.Stat(strings.TrimPrefix(args[1], "CONFIG=")); err != nil {
		st.t.Error(err)
	}
	of := map[string]account{"source": st.r.Source, "destination": st.r.Destination}[profile]
	roles := iam.NewFromConfig(of.cfg)
	if args[0] == "destroy" {
		if strings.Contains(stacks, "replimend-member-") {
			_, err := roles.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String(string(settings.Reader))})
			if awserr.Is(err, awserr.Absent) { // the CDK removes what is not there without an error
				err = nil
			}
			if _, topic := sns.NewFromConfig(of.cfg).DeleteTopic(ctx, &sns.DeleteTopicInput{
				TopicArn: aws.String(grants.Topic(of.ID, of.Region).String()),
			}); topic != nil {
				return topic
			}
			return err
		}
		return nil
	}
	if !slices.Contains(args, "OPTIONS=--require-approval never --tags "+prefix+"="+st.r.Name) {
		st.t.Errorf("deployed without the tag of the run: %v", args)
	}
	switch {
	case strings.Contains(stacks, "replimend-hub"):
		for _, in := range []*dynamodb.CreateTableInput{journal.Shape(tables[0]), journal.ApprovalShape(tables[1])} {
			in.DeletionProtectionEnabled = aws.Bool(true)
			in.Tags = []dynamodbtypes.Tag{{Key: aws.String(prefix), Value: &st.r.Name}}
			if _, err := dynamodb.NewFromConfig(of.cfg).CreateTable(ctx, in); err != nil {
				return err
			}
		}
	case strings.Contains(stacks, "replimend-member-"):
		if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: aws.String(string(settings.Reader)), AssumeRolePolicyDocument: document(),
			Tags: []iamtypes.Tag{{Key: aws.String(prefix), Value: &st.r.Name}},
		}); err != nil {
			return err
		}
		if _, err := sns.NewFromConfig(of.cfg).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(grants.FailureTopic)}); err != nil {
			return err
		}
		return of.bucket(ctx, settings.ReportBucket(of.ID, of.Region), st.r.Name, "")
	}
	return nil
}

// inventory is everything in both accounts that a run can make; keys whose deletion is scheduled are gone.
func (st *stage) inventory() []string {
	st.t.Helper()
	var out []string
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			st.t.Helper()
			st.t.Fatal(err)
		}
	}
	for _, a := range []account{st.r.Source, st.r.Destination} {
		buckets, err := a.s3().ListBuckets(ctx, &s3.ListBucketsInput{})
		must(err)
		for _, b := range buckets.Buckets {
			out = append(out, "bucket "+aws.ToString(b.Name))
		}
		roles, err := iam.NewFromConfig(a.cfg).ListRoles(ctx, &iam.ListRolesInput{})
		must(err)
		for _, role := range roles.Roles {
			out = append(out, "role "+aws.ToString(role.RoleName))
		}
		keys, err := kms.NewFromConfig(a.cfg).ListKeys(ctx, &kms.ListKeysInput{})
		must(err)
		for _, k := range keys.Keys {
			key, err := kms.NewFromConfig(a.cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId})
			must(err)
			if key.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion && key.KeyMetadata.KeyManager != kmstypes.KeyManagerTypeAws {
				out = append(out, "key "+aws.ToString(key.KeyMetadata.Description))
			}
		}
		all, err := dynamodb.NewFromConfig(a.cfg).ListTables(ctx, &dynamodb.ListTablesInput{})
		must(err)
		for _, table := range all.TableNames {
			out = append(out, "table "+table)
		}
		topics, err := sns.NewFromConfig(a.cfg).ListTopics(ctx, &sns.ListTopicsInput{})
		must(err)
		for _, topic := range topics.Topics {
			out = append(out, "topic "+aws.ToString(topic.TopicArn))
		}
	}
	return out
}

func isWrite(r *http.Request) bool {
	target := r.Header.Get("X-Amz-Target")
	read := strings.Contains(target, ".Describe") || strings.Contains(target, ".List") || strings.Contains(target, ".Get") || strings.Contains(target, ".Query")
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !read
}

// replimend stands in for S3 and for the deployed system: what was written is replicated, and the incident is resolved when somebody looks
// into the journal first. How it ends is the outcome.
func (st *stage) replimend(outcome incident.Outcome) {
	var once sync.Once
	direct := mototest.Start(st.t).Config(st.t, st.r.Source.ID, st.r.Source.Region)
	st.in = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead && r.URL.Query().Has("versionId") {
			w.Header().Set("X-Amz-Replication-Status", "COMPLETED")
			return true
		}
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".Query") {
			once.Do(func() { st.cure(direct, outcome) })
		}
		return false
	}
}

func (st *stage) cure(direct aws.Config, outcome incident.Outcome) {
	st.t.Helper()
	ctx := context.Background()
	if _, err := iam.NewFromConfig(direct).PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: &st.r.Name, PolicyName: &st.r.Name, PolicyDocument: st.r.rolePolicy(true),
	}); err != nil {
		st.t.Error(err)
	}
	now := time.Now()
	route := incident.Route{Source: st.r.sourceBucket(), Rule: ruleID, Destination: st.r.destinationBucket()}
	kept := &journal.Table{Client: dynamodb.NewFromConfig(direct), Name: tables[0], Now: time.Now}
	i, err := kept.Open(ctx, incident.Incident{ID: incident.ID(route, now), Route: route, Outcome: incident.Open, Opened: now})
	if err == nil {
		i.Changes = []incident.Change{{State: incident.Written}}
		i.Become(outcome, now, "for the test")
		_, err = kept.Record(ctx, i)
	}
	if err != nil {
		st.t.Error(err)
	}
}

func TestWholeStoryLeavesNothing(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	st.replimend(incident.Resolved)
	before := st.inventory()
	if err := st.r.rehearse(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, &st.out)
	}
	if diff := cmp.Diff(before, st.inventory()); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
	a, b := st.r.Source.ID, st.r.Destination.ID
	members := func(id, region string) string {
		return "replimend-member-" + id + " replimend-region-" + id + "-" + region + " replimend-relay-" + id
	}
	want := []string{
		"source deploy replimend-hub", "source deploy " + members(a, "us-east-1"), "destination deploy " + members(b, "eu-west-1"),
		"source deploy replimend-subscriptions", "source destroy replimend-subscriptions", "destination destroy " + members(b, "eu-west-1"),
		"source destroy " + members(a, "us-east-1"), "source destroy replimend-hub",
	}
	if diff := cmp.Diff(want, st.made); diff != "" {
		t.Errorf("stacks (-want +got):\n%s", diff)
	}
	for _, text := range []string{"cured: every object is COMPLETED", st.r.sourceBucket() + " → ", "for the test", "nothing of " + st.r.Name + " is left"} {
		if !strings.Contains(st.out.String(), text) {
			t.Errorf("the output lacks %q:\n%s", text, &st.out)
		}
	}
}

func TestIncidentThatIsNotResolvedFailsAndIsCleanedUp(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	st.replimend(incident.Escalated)
	before := st.inventory()
	err := st.r.rehearse(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is escalated") {
		t.Errorf("%v, want an error that says escalated", err)
	}
	if diff := cmp.Diff(before, st.inventory()); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}

// TestInterruptedSetUpIsCleanedUp interrupts a run at each of its writes, before and after AWS has made it.
func TestInterruptedSetUpIsCleanedUp(t *testing.T) {
	t.Parallel()
	for n := int64(1); ; n++ {
		st := newStage(t)
		before := st.inventory()
		ctx, interrupt := context.WithCancel(t.Context())
		var writes atomic.Int64
		st.in = func(_ http.ResponseWriter, r *http.Request) bool {
			if isWrite(r) && ctx.Err() == nil && writes.Add(1) == n {
				interrupt()
			}
			return false
		}
		st.r.make = func(context.Context, io.Writer, string, ...string) error { interrupt(); return context.Canceled }
		err := st.r.rehearse(ctx)
		if err == nil {
			t.Fatalf("write %d: nothing failed", n)
		}
		if diff := cmp.Diff(before, st.inventory()); diff != "" {
			t.Errorf("interrupted at write %d, left behind (-before +after):\n%s\n%s", n, diff, &st.out)
		}
		if writes.Load() < n { // the set-up came to its end
			if n < 10 {
				t.Errorf("%d writes: are they counted?", n)
			}
			return
		}
	}
}

func TestCleanByNameRemovesWhatAnotherProcessLeft(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	before := st.inventory()
	if err := st.r.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := st.r.deploy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := st.inventory(); len(all) < len(before)+11 {
		t.Fatalf("made only %v", all)
	}
	later := &rehearsal{
		Name: st.r.Name, Source: st.r.Source, Destination: st.r.Destination, out: &st.out, make: st.make, every: time.Millisecond, patience: time.Minute,
	}
	if err := later.clean(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, &st.out)
	}
	if diff := cmp.Diff(before, st.inventory()); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}

// TestStacksThatAreLeftAreFoundAgain: what a run is known by stays until its stacks are gone.
func TestStacksThatAreLeftAreFoundAgain(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	before := st.inventory()
	if err := st.r.deploy(t.Context()); err != nil {
		t.Fatal(err)
	}
	later := *st.r
	later.deploys = false // another process
	later.make = func(ctx context.Context, out io.Writer, profile string, args ...string) error {
		if args[2] == "STACKS=replimend-hub" {
			return errors.New("the stack is busy")
		}
		return st.make(ctx, out, profile, args...)
	}
	if err := later.clean(t.Context()); err == nil || !strings.Contains(st.out.String(), "delete-stack --stack-name replimend-hub --region us-east-1") {
		t.Errorf("%v, want an error, and how to remove the stacks:\n%s", err, &st.out)
	}
	later.make, later.stacksLeft = st.make, false
	if err := later.clean(t.Context()); err != nil {
		t.Errorf("%v\n%s", err, &st.out)
	}
	if diff := cmp.Diff(before, st.inventory()); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
	if !slices.Contains(st.made, "source destroy replimend-hub") {
		t.Errorf("the hub is left: %v", st.made)
	}
}

// TestCleanLeavesOthersAlone: what is deployed in earnest has the names of what a rehearsal deploys.
func TestCleanLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	other := *st.r
	st.r.Name = prefix + "-00000000"
	for _, target := range st.r.turns() {
		if err := st.make(t.Context(), &st.out, target.of.Profile, "deploy", "CONFIG=.", "STACKS="+strings.Join(target.stacks, " "),
			"OPTIONS=--require-approval never --tags "+prefix+"="+st.r.Name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := st.r.Source.key(t.Context(), st.r.Name, allow("Account", map[string]string{"AWS": st.r.Source.root()}, "*", "kms:*")); err != nil {
		t.Fatal(err)
	}
	before, made := st.inventory(), len(st.made)
	if err := other.clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, st.inventory()); diff != "" {
		t.Errorf("somebody else's (-before +after):\n%s", diff)
	}
	if len(st.made) != made {
		t.Errorf("somebody else's stacks: %v", st.made[made:])
	}
	if err := other.rehearse(t.Context()); err == nil || !strings.Contains(err.Error(), "rehearse") {
		t.Errorf("rehearse where Replimend is deployed: %v, want a refusal", err)
	}
	if diff := cmp.Diff(before, st.inventory()); diff != "" {
		t.Errorf("after the refusal (-before +after):\n%s", diff)
	}
}

func TestWhatCannotBeRemovedIsTold(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	if err := st.r.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	st.in = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodDelete || !strings.Contains(r.URL.Path, st.r.sourceBucket()) {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<Error><Code>AccessDenied</Code></Error>`)
		return true
	}
	if err := st.r.clean(t.Context()); err == nil {
		t.Error("no error, and the source bucket is left")
	}
	want := "    aws s3api delete-bucket --bucket " + st.r.sourceBucket() + " --region us-east-1 --profile source"
	if !strings.Contains(st.out.String(), want) || strings.Contains(st.out.String(), "--bucket "+st.r.destinationBucket()) {
		t.Errorf("told of what is left:\n%s", &st.out)
	}
}

// TestWrongAccountIsRefused: profiles change meaning, account ids do not.
func TestWrongAccountIsRefused(t *testing.T) {
	s := mototest.Start(t)
	var other atomic.Int64
	address := s.Proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.Header.Get("Authorization"), "/sts/") {
			other.Add(1)
		}
		return false
	})
	source, destination := s.Account(), s.Account()
	var text strings.Builder
	for profile, id := range map[string]string{"source": source, "destination": destination} {
		key, secret, token := s.Credentials(t, id)
		fmt.Fprintf(&text, "[profile %s]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", profile, key, secret, token)
	}
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_ENDPOINT_URL", address)
	t.Setenv("NO_PROXY", "*")
	for _, tt := range []struct{ name, accounts, want string }{
		{"another account", source + ",444455556666", "444455556666 was named: nothing was touched"},
		{"the other way round", destination + "," + source, destination + " was named: nothing was touched"},
		{"one account twice", source + "," + source, "are different ones"},
		{"none", "", "take two values"},
	} {
		err := run(t.Context(), []string{"--accounts", tt.accounts, "--profiles", "source,destination", "--regions", "us-east-1,eu-west-1"}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	err := run(t.Context(), []string{"--clean", "production"}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "not the name of a run") {
		t.Errorf("clean: %v", err)
	}
	if n := other.Load(); n > 0 {
		t.Errorf("%d calls were made besides those that identify the caller", n)
	}
	a, b, err := connect(t.Context(), source+","+destination, "source,destination", "us-east-1,eu-west-1")
	if err != nil || a.ID != source || b.ID != destination {
		t.Errorf("the right ones: %v, %v, %v", a.ID, b.ID, err)
	}
}

// TestBrokenRouteIsOneThatReplimendCures: the route is healthy as it is built, broken as it is broken, and the program cures it without
// asking, under the settings of the run.
func TestBrokenRouteIsOneThatReplimendCures(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	var whole mototest.Configurations
	st.in = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Header.Get("Authorization"), "/access-analyzer/") { // which moto does not know
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return whole.Handle(w, r)
	}
	ctx := t.Context()
	if err := st.r.build(ctx); err != nil {
		t.Fatal(err)
	}
	if err := st.r.deploy(ctx); err != nil {
		t.Fatal(err)
	}
	if err := st.r.listen(ctx); err != nil {
		t.Fatal(err)
	}
	file, err := st.r.writeSettings()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(file) })
	replimend := st.program()
	bucket := st.r.sourceBucket()
	if out, code := replimend("diagnose", "--live", bucket); code != 0 || !strings.Contains(out, "healthy") {
		t.Errorf("as it is built: exit code %d\n%s", code, out)
	}
	before, err := st.r.documents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.r.breakRoute(ctx); err != nil {
		t.Fatal(err)
	}
	if out, code := replimend("diagnose", "--live", bucket); code != 1 || !strings.Contains(out, "role-lacks-replica-encrypt") {
		t.Errorf("as it is broken: exit code %d\n%s", code, out)
	}
	broken, err := st.r.documents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := before.healed(broken); err == nil {
		t.Error("the broken documents are said to be whole")
	}
	out, code := replimend("apply", bucket, "--yes", "--settings", file)
	if code != 0 || !strings.Contains(out, "allow: the plan may be carried out now") {
		t.Errorf("apply: exit code %d\n%s", code, out)
	}
	after, err := st.r.documents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := before.healed(after); err != nil {
		t.Errorf("after the cure: %v\n%s", err, out)
	}
}

// program is replimend with both profiles, in an empty folder.
func (st *stage) program() func(args ...string) (out string, code int) {
	st.t.Helper()
	dir := st.t.TempDir()
	binary := filepath.Join(dir, "replimend")
	if out, err := exec.CommandContext(st.t.Context(), "go", "build", "-o", binary, "../../cmd/replimend").CombinedOutput(); err != nil {
		st.t.Fatalf("go build: %v\n%s", err, out)
	}
	var text strings.Builder
	for _, a := range []account{st.r.Source, st.r.Destination} {
		keys, err := a.cfg.Credentials.Retrieve(st.t.Context())
		if err != nil {
			st.t.Fatal(err)
		}
		fmt.Fprintf(&text, "[profile %s]\nregion = %s\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n",
			a.Profile, a.Region, keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken)
	}
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		st.t.Fatal(err)
	}
	return func(args ...string) (string, int) {
		cmd := exec.CommandContext(st.t.Context(), binary, append(args, "--profile", "source", "--profile", "destination")...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE="+file, "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "none"),
			"AWS_ENDPOINT_URL="+*st.r.Source.cfg.BaseEndpoint, "XDG_STATE_HOME="+filepath.Join(dir, "state"), "NO_PROXY=*")
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			st.t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
}

// TestSettingsCanBeDeployed: those of a whole world, and those by which stacks are removed.
func TestSettingsCanBeDeployed(t *testing.T) {
	t.Parallel()
	r := &rehearsal{
		Name: prefix + "-0123abcd", Source: account{ID: "111122223333", Region: "us-east-1"}, Destination: account{ID: "444455556666", Region: "eu-west-1"},
	}
	if _, err := settings.ParseToDeploy([]byte(r.settings().YAML())); err != nil {
		t.Errorf("without a world: %v", err)
	}
	r.world = world{
		"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:eu-west-1:444455556666:key/0987dcba-09fe-87dc-65ba-ab0987654321",
		"arn:aws:iam::111122223333:role/" + r.Name, "AROAEXAMPLE",
	}
	set, err := settings.ParseToDeploy([]byte(r.settings().YAML()))
	if err != nil || len(set.Routes) != 1 {
		t.Errorf("of a world: %v, %v", set, err)
	}
}

func TestWholeDocuments(t *testing.T) {
	t.Parallel()
	of := func(sids ...string) (all []any) {
		for _, sid := range sids {
			all = append(all, map[string]any{"Sid": sid})
		}
		return all
	}
	bucket := func(sids ...string) map[string]any { return map[string]any{"Statement": of(sids...)} }
	before := documents{role: of("Read", replicaSid), bucket: bucket("Replicas")}
	for _, tt := range []struct {
		name  string
		after documents
		want  bool
	}{
		{"cured under another Sid", documents{role: of("Read", "Replimend"), bucket: bucket("Replicas")}, true},
		{"not cured", documents{role: of("Read"), bucket: bucket("Replicas")}, false},
		{"a statement is gone", documents{role: of("Replimend", "More"), bucket: bucket("Replicas")}, false},
		{"the bucket's policy was changed", documents{role: of("Read", "Replimend"), bucket: bucket("Replicas", "More")}, false},
	} {
		if err := before.healed(tt.after); (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
