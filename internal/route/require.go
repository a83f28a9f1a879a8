package route

import (
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// Session is the name under which S3 assumes the replication role. AWS does not document it; CloudTrail records show it.
// https://hackingthe.cloud/aws/exploitation/s3-bucket-replication-exfiltration/
const Session = "s3-replication"

// The pages that say what S3 asks.
const (
	pagePermissions = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html"
	pageKMS         = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html"
	pageTrouble     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html"
	pageOwner       = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html"
	pageDelete      = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-marker-replication.html"
	pageReasons     = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html"
	pageTested      = "https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/1144"
)

// Requirement is one request that S3 makes, or may make, for the objects of a population.
type Requirement struct {
	Hop      Hop
	Request  authz.Request
	Layers   authz.Layers
	Need     Need
	Evidence Evidence
	Source   string // the page that says so
	// Identity and Resource are the documents that can grant it: the role's policies (none for what S3 asks as itself), and the
	// policy of what is asked for.
	Identity, Resource snapshot.Ref
	// Instead is another action that serves as well, "" without one.
	Instead string
}

// asker collects the requirements of one population.
type asker struct {
	w   *World
	r   Route
	p   Population
	out []Requirement

	session   *authz.Context // what all requests share, made with the first of them
	principal authz.Principal
}

// Requirements is every request of a population, hop by hop, in the order in which S3 makes them. Without a role nobody asks
// anything.
func Requirements(w *World, r Route, p Population) []Requirement {
	if r.Role.IsZero() {
		return nil
	}
	a := &asker{w: w, r: r, p: p, out: make([]Requirement, 0, 16)}
	a.assumeRole()
	a.readConfig()
	if p.DeleteMarker {
		a.writeDeleteMarker()
		return a.out
	}
	a.readObject()
	if !p.KMS() || r.SelectsKMS() {
		a.decryptSource()
	}
	a.writeReplica()
	if !p.KMS() || r.SelectsKMS() {
		a.encryptReplica()
	}
	a.ownReplica()
	a.tags()
	if r.ReplicatesDeleteMarkers() {
		a.writeDeleteMarker()
	}
	a.lock()
	return a.out
}

// assumeRole is the one request that S3 makes as itself; the trust policy alone decides it.
func (a *asker) assumeRole() {
	ref := snapshot.Ref{Kind: snapshot.RoleTrust, ID: a.r.RoleText}
	q := authz.Request{
		Principal: authz.Principal{Kind: authz.Service, Name: "s3.amazonaws.com"},
		Action:    "sts:AssumeRole", Resource: a.r.Role, ResourceAccount: a.r.Role.Account,
	}
	q.Context.Open = true
	q.Context.Set("aws:PrincipalIsAWSService", "true")
	q.Context.Set("aws:PrincipalServiceName", "s3.amazonaws.com")
	q.Context.Set("aws:SecureTransport", "true")
	q.Context.Set("aws:ResourceAccount", a.r.Role.Account)
	q.Context.SetAbsent("sts:ExternalId", "aws:MultiFactorAuthPresent", "aws:PrincipalOrgID", "aws:SourceVpce", "aws:SourceVpc", "aws:PrincipalArn")
	a.time(&q.Context)
	// Whether S3 sends aws:SourceAccount and aws:SourceArn here is not documented: they stay unknown.
	r := Requirement{Hop: AssumeRole, Request: q, Need: Required, Evidence: Documented, Source: pagePermissions, Resource: ref}
	r.Layers = a.w.Layers(&r)
	a.out = append(a.out, r)
}

func (a *asker) readConfig() {
	for _, action := range []string{"s3:GetReplicationConfiguration", "s3:ListBucket"} {
		a.s3(ReadConfig, action, Required, Documented, pagePermissions, true, policy.BucketARN(a.r.Partition, a.r.Source))
	}
}

func (a *asker) readObject() {
	object := policy.ObjectARN(a.r.Partition, a.r.Source, a.p.ObjectKey)
	a.s3(ReadObject, "s3:GetObjectVersionForReplication", Required, Documented, pageKMS, true, object)
	if !a.p.KMS() {
		// Without KMS the older s3:GetObjectVersion serves as well.
		a.out[len(a.out)-1].Instead = "s3:GetObjectVersion"
	}
	a.s3(ReadObject, "s3:GetObjectVersionAcl", Required, Documented, pagePermissions, true, object)
}

func (a *asker) writeReplica() {
	a.s3(WriteReplica, "s3:ReplicateObject", Required, Documented, pagePermissions, false, a.replica())
}

func (a *asker) replica() policy.ARN {
	return policy.ObjectARN(a.r.Partition, a.r.Destination, a.p.ObjectKey)
}

// ownReplica is asked across accounts only: inside one account S3 changes the owner without a permission.
func (a *asker) ownReplica() {
	if a.r.OwnerOverride() && a.r.CrossAccount() {
		a.s3(OwnReplica, "s3:ObjectOwnerOverrideToBucketOwner", Required, Documented, pageOwner, false, a.replica())
	}
}

// tags are lost without the reading permission, says the page on permissions, while the table of failure reasons has one for it.
// s3:ReplicateObject implies the writing one, so that only a Deny hurts.
func (a *asker) tags() {
	if !a.p.Tagged {
		return
	}
	a.s3(WriteTags, "s3:GetObjectVersionTagging", Partial, Disputed, pagePermissions, true, policy.ObjectARN(a.r.Partition, a.r.Source, a.p.ObjectKey))
	a.s3(WriteTags, "s3:ReplicateTags", DenyOnly, Documented, pagePermissions, false, a.replica())
}

func (a *asker) writeDeleteMarker() {
	need := Partial
	if a.p.DeleteMarker {
		need = Required // the marker is all that there is to replicate
	}
	a.s3(WriteDeleteMarker, "s3:ReplicateDelete", need, Documented, pageDelete, false, a.replica())
}

// lock asks for the two permissions at the source that the page on permissions lists. Those at the destination stand in the table
// of failure reasons only, so that they are asked for where an event gives such a reason.
func (a *asker) lock() {
	lock := a.w.Snapshot.Buckets[a.r.Source].V.ObjectLock
	need := Required
	if lock.State == snapshot.Missing {
		need = Conditional // on whether the bucket has Object Lock
	}
	if lock.State == snapshot.Missing || lock.V.ObjectLockEnabled == "Enabled" {
		object := policy.ObjectARN(a.r.Partition, a.r.Source, a.p.ObjectKey)
		for _, action := range []string{"s3:GetObjectRetention", "s3:GetObjectLegalHold"} {
			a.s3(LockReplica, action, need, Documented, pagePermissions, true, object)
		}
	}
	if a.p.LockWrite != "" && lock.V.ObjectLockEnabled == "Enabled" { // elsewhere no object has a lock to write
		a.s3(LockReplica, a.p.LockWrite, Conditional, Disputed, pageReasons, false, a.replica())
	}
}

// s3 is one request of the role's session on a bucket or object.
func (a *asker) s3(hop Hop, action string, need Need, evidence Evidence, source string, atSource bool, resource policy.ARN) {
	ref := snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: a.r.Destination}
	account, region := a.r.DestinationAccount, a.r.DestinationRegion
	if atSource {
		ref = snapshot.Ref{Kind: snapshot.SourceBucketPolicy, ID: a.r.Source}
		account, region = a.r.SourceAccount, a.r.SourceRegion
	} else if account == "" {
		account = a.r.Rule.Destination.Account // only a claim, but enough to ask the right layers
	}
	q := a.request(action, resource, account, region)
	if account != "" {
		q.Context.Set("s3:ResourceAccount", account)
	}
	if hop == WriteReplica {
		a.encryptionHeaders(&q.Context)
	}
	a.add(hop, q, ref, need, evidence, source)
}

// encryptionHeaders are the keys that destination policies test on s3:ReplicateObject.
func (a *asker) encryptionHeaders(c *authz.Context) {
	const header = "s3:x-amz-server-side-encryption"
	switch {
	case !a.p.EncryptionKnown || a.p.Encryption == Plaintext:
	case a.p.KMS():
		c.Set(header, a.p.Encryption)
		if a.r.ReplicaKey.IsZero() {
			c.SetUnknown(header + "-aws-kms-key-id")
		} else {
			c.Set(header+"-aws-kms-key-id", a.r.ReplicaKey.String()) // S3 compares key ids in the form of ARNs
		}
	default:
		c.SetAbsent(header + "-aws-kms-key-id")
		if a.p.Encryption == SSES3 {
			c.Set(header, SSES3)
		}
	}
}

// decryptSource is asked for KMS objects. With a Bucket Key on the object S3 sends the bucket's ARN as encryption context.
func (a *asker) decryptSource() {
	if !a.p.KMS() {
		return
	}
	context := policy.ObjectARN(a.r.Partition, a.r.Source, a.p.ObjectKey).String()
	bucket := policy.BucketARN(a.r.Partition, a.r.Source).String()
	if a.p.BucketKey {
		context = bucket
	}
	a.kms(DecryptSource, "kms:Decrypt", Required, Documented, pageKMS, a.p.Key, snapshot.SourceKeyPolicy, a.r.SourceRegion, context)
	if on, known := a.destinationBucketKey(); !a.p.BucketKey && a.p.Encryption == SSEKMS && (on || !known) {
		// The page says that a Bucket Key on either bucket makes the context the bucket's ARN, and does not say of which key.
		a.kms(DecryptSource, "kms:Decrypt", Conditional, Disputed, pageKMS, a.p.Key, snapshot.SourceKeyPolicy, a.r.SourceRegion, bucket)
	}
}

// encryptReplica is what S3 asks of the replica's key. That kms:Encrypt is needed is common ground. AWS's pages disagree on
// kms:Decrypt and kms:GenerateDataKey: one page asks for Decrypt with Bucket Keys but omits it in its own sample, another one
// lists GenerateDataKey throughout, and a maintainer of an AWS solution reports that replication completes without it when
// no Bucket Key is in play.
func (a *asker) encryptReplica() {
	if !a.p.KMS() {
		a.encryptPlaintext()
		return
	}
	bucketKey, known := a.destinationBucketKey()
	bucketKey = (bucketKey || a.p.BucketKey) && a.p.Encryption == SSEKMS
	known = known || a.p.BucketKey || a.p.Encryption == DSSEKMS
	context := a.replica().String()
	if bucketKey {
		context = policy.BucketARN(a.r.Partition, a.r.Destination).String()
	}
	if !known {
		context = ""
	}
	ask := func(action string, need Need, evidence Evidence, source string) {
		a.kms(EncryptReplica, action, need, evidence, source, a.r.ReplicaKey, snapshot.ReplicaKeyPolicy, a.r.DestinationRegion, context)
	}
	ask("kms:Encrypt", Required, Documented, pageKMS)
	if bucketKey {
		ask("kms:Decrypt", Conditional, Disputed, pageKMS)
		ask("kms:GenerateDataKey", Conditional, Disputed, pageTrouble)
		return
	}
	ask("kms:GenerateDataKey", Advisory, Disputed, pageTested)
}

// encryptPlaintext is for objects of before 2023: their replica takes the destination bucket's default encryption.
func (a *asker) encryptPlaintext() {
	if a.p.Encryption != Plaintext || !a.p.EncryptionKnown {
		return
	}
	text, key, rule, _ := a.w.DefaultKey(&a.r)
	if text == "" {
		return
	}
	context := a.replica().String()
	bucketKey := rule.BucketKeyEnabled && rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm == SSEKMS
	if bucketKey {
		context = policy.BucketARN(a.r.Partition, a.r.Destination).String()
	}
	ask := func(action string, need Need, evidence Evidence) {
		a.kms(EncryptReplica, action, need, evidence, pageKMS, key, snapshot.ReplicaKeyPolicy, a.r.DestinationRegion, context)
	}
	ask("kms:GenerateDataKey", Required, Documented)
	if bucketKey {
		ask("kms:Decrypt", Conditional, Disputed)
	}
}

// destinationBucketKey says whether the destination bucket has its Bucket Key on, and whether that is known.
func (a *asker) destinationBucketKey() (on, known bool) {
	encryption := a.w.Snapshot.Buckets[a.r.Destination].V.Encryption
	for _, rule := range encryption.V.Rules {
		on = on || rule.BucketKeyEnabled
	}
	return on, encryption.State != snapshot.Missing || a.w.Snapshot.Buckets[a.r.Destination].State == snapshot.Absent
}

// kms is one request of the role's session on a key, made by S3 on its behalf. An empty context is not known.
func (a *asker) kms(hop Hop, action string, need Need, evidence Evidence, source string, key policy.ARN, kind snapshot.Kind, region, context string) {
	if key.IsZero() {
		return // a finding of its own says that the key cannot be resolved
	}
	if region == "" {
		region = key.Region // the bucket is not in the snapshot; S3 uses a key of its own Region only
	}
	q := a.request(action, key, key.Account, region)
	c := &q.Context
	c.Set("kms:ViaService", "s3."+region+"."+dnsSuffix(a.r.Partition))
	c.Set("kms:CallerAccount", a.r.Role.Account)
	c.Set("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
	if context == "" {
		c.SetUnknown("kms:EncryptionContext:aws:s3:arn")
	} else {
		c.Set("kms:EncryptionContext:aws:s3:arn", context)
	}
	c.Set("kms:EncryptionContextKeys", "aws:s3:arn")
	if k, ok := a.w.Snapshot.Keys[key].Get(); ok {
		if aliases, ok := k.Aliases.Get(); ok {
			c.Set("kms:ResourceAliases", aliases...)
		}
		tags(c, "aws:ResourceTag/", k.Tags)
	}
	a.add(hop, q, snapshot.Ref{Kind: kind, ID: key.String()}, need, evidence, source)
}

func dnsSuffix(partition string) string {
	if partition == China {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// China is the partition of the Regions in China. That kms:ViaService has China's DNS suffix there is a deduction from the
// endpoints: no page gives the value.
// https://docs.amazonaws.cn/en_us/general/latest/gr/endpoints-Ningxia.html
const China = "aws-cn"

// OtherSuffix is the same request to KMS as it would be if kms:ViaService had the DNS suffix of the other partitions; ok is
// false where the suffix is not in doubt.
func OtherSuffix(q *authz.Request) (other authz.Request, ok bool) {
	via, _ := q.Context.Values("kms:ViaService")
	if q.Resource.Partition != China || len(via) != 1 {
		return authz.Request{}, false
	}
	other = *q
	other.Context = authz.Over(&q.Context)
	other.Context.Set("kms:ViaService", strings.TrimSuffix(via[0], ".cn"))
	return other, true
}

func (a *asker) add(hop Hop, q authz.Request, ref snapshot.Ref, need Need, evidence Evidence, source string) {
	r := Requirement{
		Hop: hop, Request: q, Need: need, Evidence: evidence, Source: source,
		Identity: snapshot.Ref{Kind: snapshot.RolePolicy, ID: a.r.RoleText}, Resource: ref,
	}
	r.Layers = a.w.Layers(&r)
	a.out = append(a.out, r)
}

// request is one call of the role's session.
func (a *asker) request(action string, resource policy.ARN, account, region string) authz.Request {
	if a.session == nil {
		a.session = a.newSession()
	}
	q := authz.Request{
		Principal: a.principal, Action: action, Resource: resource, ResourceAccount: account,
		Context: authz.Over(a.session),
	}
	// Without the bucket in the snapshot its account and Region are not known, which is not the same as empty.
	if account != "" {
		q.Context.Set("aws:ResourceAccount", account)
	}
	if region != "" {
		q.Context.Set("aws:RequestedRegion", region)
	}
	a.organization(&q.Context, "aws:ResourceOrgID", account)
	return q
}

// newSession is what every call of the role's session carries. Keys that AWS may add and nobody can know stay unknown, so
// that a condition on them makes the decision unknown instead of wrong.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (a *asker) newSession() *authz.Context {
	role, known := a.w.Snapshot.Roles[a.r.Role].Get()
	a.principal = authz.SessionOf(a.r.Role, Session, role.UniqueID)
	c := authz.Over(&absent)
	c.Set("aws:PrincipalArn", a.r.Role.String())
	c.Set("aws:PrincipalAccount", a.r.Role.Account)
	c.Set("aws:PrincipalType", "AssumedRole")
	c.Set("aws:PrincipalIsAWSService", "false")
	c.Set("aws:SecureTransport", "true")
	if role.UniqueID != "" {
		c.Set("aws:userid", role.UniqueID+":"+Session)
	}
	a.organization(&c, "aws:PrincipalOrgID", a.r.Role.Account)
	if known {
		tags(&c, "aws:PrincipalTag/", role.Tags)
	}
	a.time(&c)
	return &c
}

// absent is what no call of S3's replication carries: it comes from S3's own network, so that there is no endpoint or address
// of the customer, and no signed-in person.
var absent = func() (c authz.Context) {
	c.Open = true
	c.Close("aws:SourceVpce", "aws:SourceVpc", "aws:SourceIp", "aws:VpcSourceIp", "aws:username", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:FederatedProvider", "aws:SourceAccount",
		"aws:SourceArn", "aws:SourceIdentity", "aws:referer", "s3:DataAccessPointArn", "s3:DataAccessPointAccount",
		"kms:GrantIsForAWSResource", "kms:RequestAlias")
	return c
}()

func (a *asker) organization(c *authz.Context, key, account string) {
	o := a.w.Snapshot.Organization
	if o == nil {
		return
	}
	for _, member := range o.Accounts {
		if member == account {
			c.Set(key, o.ID)
			return
		}
	}
}

// time is the moment of the snapshot: the diagnosis says what held then.
func (a *asker) time(c *authz.Context) {
	if at := a.w.Snapshot.TakenAt; at != "" {
		if _, err := policy.ParseDate(at); err == nil {
			c.Set("aws:CurrentTime", at)
		}
	}
}

// tags sets one key per tag; when all tags are known, every other one is absent.
func tags(c *authz.Context, prefix string, v snapshot.Value[map[string]string]) {
	if v.State == snapshot.Missing {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(v.V)) {
		c.Set(prefix+k, v.V[k])
	}
	c.Close(strings.ToLower(prefix))
}
