package awscloud_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// cloud is as much of AWS as a Reader asks, in this process: moto is too slow to read a thousand routes from, and nothing but a
// cloud that waits can say how deep the calls are. It answers in the real protocols and holds callers to what moto does not: the
// owner that they expect, the Region that a bucket is in, and the account that their credentials are of.
type cloud struct {
	wait     time.Duration // for each answer
	buckets  map[string]cloudBucket
	roles    map[string]cloudRole // by ARN
	policies map[string][]string  // by ARN: the versions, of which the last is in force
	keys     map[string]cloudKey  // by ARN
	aliases  map[string]string    // by ARN: the ARN of the key
	objects  map[string]http.Header
	lax      bool              // takes calls that expect no owner
	open     map[string]bool   // buckets that everybody may read
	throttle map[string]int    // by operation: how many answers are that the caller is too fast; less than zero is all
	closed   map[string]bool   // accounts that nobody may enter
	refuse   map[string]string // by operation, such as "s3:policy": the code of the error

	mu    sync.Mutex
	slow  map[string]int // answers of throttle so far
	calls map[string]int // by operation and what it is about
	busy  int            // calls that wait now
	most  int
}

type cloudBucket struct {
	account, region string
	documents       map[string]string // by query, such as "replication": the XML
}

type cloudRole struct {
	inline, attached []string
	boundary         string
}

type cloudKey struct{ state, policy string }

const anyPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`

// access leads into the accounts directly, and into the members through the base, which is in account 999900009999.
func (c *cloud) access(direct []string, members ...settings.Member) awscloud.Access {
	a := awscloud.Access{Base: c.config("999900009999"), Direct: make(map[string]aws.Config), Members: members}
	for _, account := range direct {
		a.Direct[account] = c.config(account)
	}
	return a
}

func (c *cloud) config(account string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String("https://aws.example"), HTTPClient: c,
		Credentials: credentials.NewStaticCredentialsProvider(account, "secret", ""),
		Retryer:     func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) },
	}
}

// call is one request as the cloud understands it.
type call struct {
	account, region, service string // of the credentials, and as signed
	*http.Request
	body []byte
}

func (c *cloud) Do(r *http.Request) (*http.Response, error) {
	in := call{Request: r}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		in.body = body
	}
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 5 {
		return nil, fmt.Errorf("%s %s is not signed", r.Method, r.URL)
	}
	in.account, in.region, in.service = parts[0], parts[2], parts[3]
	c.mu.Lock()
	c.busy++
	c.most = max(c.most, c.busy)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.busy--
		c.mu.Unlock()
	}()
	select {
	case <-time.After(c.wait):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	switch in.service {
	case "s3":
		return c.s3(in), nil
	case "iam":
		return c.iam(in), nil
	case "kms":
		return c.kms(in), nil
	case "sts":
		return c.sts(in), nil
	}
	return nil, errors.New("no such service: " + in.service)
}

// ServeHTTP is Do for clients that are not in this process.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := c.Do(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

func (c *cloud) count(operation, of string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = make(map[string]int)
	}
	c.calls[operation+" "+of]++
}

// tooFast says whether this answer is to be that the caller is too fast.
func (c *cloud) tooFast(operation string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slow == nil {
		c.slow = make(map[string]int)
	}
	if limit := c.throttle[operation]; limit >= 0 && c.slow[operation] >= limit {
		return false
	}
	c.slow[operation]++
	return true
}

// counted is how often an operation was called, of everything, and how often at most of one thing.
func (c *cloud) counted(operation string) (all, most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, n := range c.calls {
		if strings.HasPrefix(name, operation+" ") {
			all, most = all+n, max(most, n)
		}
	}
	return all, most
}

func response(r *http.Request, status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = make(http.Header)
	}
	if r.Method == http.MethodHead {
		body = ""
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r, ContentLength: int64(len(body)),
	}
}

func xmlError(r *http.Request, status int, header http.Header, code string) *http.Response {
	return response(r, status, header, "<Error><Code>"+code+"</Code><Message>as the test says</Message></Error>")
}

var noDocument = map[string]string{
	"replication": "ReplicationConfigurationNotFoundError", "encryption": "ServerSideEncryptionConfigurationNotFoundError",
	"policy": "NoSuchBucketPolicy", "ownershipControls": "OwnershipControlsNotFoundError",
	"publicAccessBlock": "NoSuchPublicAccessBlockConfiguration", "object-lock": "ObjectLockConfigurationNotFoundError",
	"tagging": "NoSuchTagSet",
}

func (c *cloud) s3(in call) *http.Response {
	name, key, _ := strings.Cut(strings.TrimPrefix(in.URL.Path, "/"), "/")
	about := "head"
	for query := range in.URL.Query() {
		if query != "versionId" && query != "x-id" {
			about = query
		}
	}
	c.count("s3:"+about, name+"/"+key)
	if name == "" {
		return c.listBuckets(in)
	}
	b, ok := c.buckets[name]
	where := http.Header{"X-Amz-Bucket-Region": {b.region}}
	switch {
	case c.tooFast("s3:" + about):
		return xmlError(in.Request, 503, nil, "SlowDown")
	case !ok:
		return xmlError(in.Request, 404, nil, "NoSuchBucket")
	case in.region != b.region:
		return xmlError(in.Request, 301, where, "PermanentRedirect")
	case in.Header.Get("X-Amz-Expected-Bucket-Owner") != b.account && !c.lax, in.account != b.account && !c.open[name]:
		return xmlError(in.Request, 403, where, "AccessDenied")
	case c.refuse["s3:"+about] != "":
		return xmlError(in.Request, 403, where, c.refuse["s3:"+about])
	case key != "" && about == "head":
		header, ok := c.objects[name+"/"+key]
		switch {
		case !ok:
			return response(in.Request, 404, nil, "")
		case header.Get("X-Test-Status") != "":
			return response(in.Request, 400, nil, "")
		case header.Get("X-Amz-Delete-Marker") != "":
			return response(in.Request, 405, header, "")
		}
		return response(in.Request, 200, header, "")
	case key != "":
		return response(in.Request, 200, nil, "<Tagging><TagSet/></Tagging>")
	case about == "head":
		return response(in.Request, 200, where, "")
	}
	if text, ok := b.documents[about]; ok {
		return response(in.Request, 200, nil, text)
	}
	if code, ok := noDocument[about]; ok {
		return xmlError(in.Request, 404, nil, code)
	}
	return response(in.Request, 200, nil, map[string]string{
		"versioning":     "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
		"requestPayment": "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
		"notification":   "<NotificationConfiguration/>",
		"location":       "<LocationConstraint>" + b.region + "</LocationConstraint>",
	}[about])
}

// page is how many buckets a page has: few, unless many are asked for.
func (c *cloud) page() int { return max(3, len(c.buckets)/4) }

// listBuckets has pages.
func (c *cloud) listBuckets(in call) *http.Response {
	var names []string
	for name, b := range c.buckets {
		if b.account == in.account && name > in.URL.Query().Get("continuation-token") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	next := ""
	if len(names) > c.page() {
		names = names[:c.page()]
		next = "<ContinuationToken>" + names[len(names)-1] + "</ContinuationToken>"
	}
	list := ""
	for _, name := range names {
		region := ""
		if name != "nowhere" { // S3 says where buckets are; an emulator need not
			region = "<BucketRegion>" + c.buckets[name].region + "</BucketRegion>"
		}
		list += "<Bucket><Name>" + name + "</Name>" + region + "</Bucket>"
	}
	return response(in.Request, 200, nil, "<ListAllMyBucketsResult><Buckets>"+list+"</Buckets>"+next+"</ListAllMyBucketsResult>")
}

func (c *cloud) iam(in call) *http.Response {
	form, _ := url.ParseQuery(string(in.body))
	action, name, arn := form.Get("Action"), form.Get("RoleName"), form.Get("PolicyArn")
	c.count("iam:"+action, name+arn+"/"+form.Get("PolicyName"))
	ok := func(result string) *http.Response {
		return response(in.Request, 200, nil, fmt.Sprintf("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, result))
	}
	if c.tooFast("iam:" + action) {
		return response(in.Request, 400, nil, "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>")
	}
	if code := c.refuse["iam:"+action]; code != "" {
		return response(in.Request, 403, nil, "<ErrorResponse><Error><Code>"+code+"</Code><Message>as the test says</Message></Error></ErrorResponse>")
	}
	var roleARN string
	for a := range c.roles {
		if strings.HasPrefix(a, "arn:aws:iam::"+in.account+":role/") && strings.HasSuffix(a, "/"+name) {
			roleARN = a
		}
	}
	versions := c.policies[arn]
	if arn != "" && versions == nil || arn == "" && roleARN == "" {
		return response(in.Request, 404, nil, "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>none</Message></Error></ErrorResponse>")
	}
	role, list := c.roles[roleARN], ""
	switch action {
	case "GetRole":
		boundary := ""
		if role.boundary != "" {
			boundary = "<PermissionsBoundary><PermissionsBoundaryArn>" + role.boundary + "</PermissionsBoundaryArn></PermissionsBoundary>"
		}
		return ok(fmt.Sprintf("<Role><Arn>%s</Arn><RoleId>AROAEXAMPLE</RoleId><AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument>%s</Role>",
			roleARN, url.PathEscape(`{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"s3.amazonaws.com"}}}`), boundary))
	case "ListRolePolicies":
		for _, n := range role.inline {
			list += "<member>" + n + "</member>"
		}
		return ok("<PolicyNames>" + list + "</PolicyNames>")
	case "ListAttachedRolePolicies":
		for _, a := range role.attached {
			list += "<member><PolicyArn>" + a + "</PolicyArn></member>"
		}
		return ok("<AttachedPolicies>" + list + "</AttachedPolicies>")
	case "GetRolePolicy":
		return ok("<PolicyDocument>" + url.PathEscape(strings.Replace(anyPolicy, `"*"`, `"arn:aws:s3:::a+b/*"`, 1)) + "</PolicyDocument>")
	case "GetPolicy":
		return ok(fmt.Sprintf("<Policy><DefaultVersionId>v%d</DefaultVersionId></Policy>", len(versions)))
	default:
		var v int
		_, _ = fmt.Sscanf(form.Get("VersionId"), "v%d", &v)
		return ok(fmt.Sprintf("<PolicyVersion><IsDefaultVersion>%v</IsDefaultVersion><Document>%s</Document></PolicyVersion>",
			v == len(versions), url.PathEscape(versions[v-1])))
	}
}

func (c *cloud) kms(in call) *http.Response {
	_, action, _ := strings.Cut(in.Header.Get("X-Amz-Target"), ".")
	var ask struct {
		KeyID string `json:"KeyId"`
	}
	_ = json.NewDecoder(bytes.NewReader(in.body)).Decode(&ask)
	c.count("kms:"+action, ask.KeyID)
	arn := ask.KeyID
	if target, ok := c.aliases[arn]; ok && action == "DescribeKey" {
		arn = target
	}
	key, ok := c.keys[arn]
	parts := strings.Split(arn, ":")
	switch {
	case c.tooFast("kms:" + action):
		return response(in.Request, 400, nil, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
	case !ok || parts[3] != in.region:
		return response(in.Request, 400, nil, `{"__type":"NotFoundException","message":"none"}`)
	case parts[4] != in.account:
		return response(in.Request, 400, nil, `{"__type":"AccessDeniedException","message":"not yours"}`)
	}
	names := []string{}
	for alias, target := range c.aliases {
		if target == arn {
			names = append(names, fmt.Sprintf(`{"AliasName":%q}`, alias[strings.Index(alias, "alias/"):]))
		}
	}
	slices.Sort(names)
	policy, _ := json.Marshal(map[string]string{"Policy": key.policy})
	return response(in.Request, 200, nil, map[string]string{
		"DescribeKey":      fmt.Sprintf(`{"KeyMetadata":{"Arn":%q,"KeyState":%q,"KeyManager":"CUSTOMER","KeySpec":"SYMMETRIC_DEFAULT","KeyUsage":"ENCRYPT_DECRYPT"}}`, arn, key.state),
		"GetKeyPolicy":     string(policy),
		"ListGrants":       `{"Grants":[]}`,
		"ListAliases":      `{"Aliases":[` + strings.Join(names, ",") + `]}`,
		"ListResourceTags": `{"Tags":[]}`,
	}[action])
}

func (c *cloud) sts(in call) *http.Response {
	form, _ := url.ParseQuery(string(in.body))
	if form.Get("Action") == "GetCallerIdentity" {
		c.count("sts:GetCallerIdentity", in.account)
		return response(in.Request, 200, nil, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>"+in.account+"</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
	}
	arn := form.Get("RoleArn")
	c.count("sts:AssumeRole", arn)
	account := strings.Split(arn, ":")[4]
	if c.closed[account] {
		return response(in.Request, 403, nil, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole on resource: "+arn+"</Message></Error></ErrorResponse>")
	}
	return response(in.Request, 200, nil, fmt.Sprintf("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
		account, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
}

// The accounts and Regions of a network.
const (
	sourceAccount, sourceRegion           = "111122223333", "eu-west-1"
	destinationAccount, destinationRegion = "444455556666", "eu-central-1"
)

// network is cross-account KMS routes: each with buckets of its own, sharing the roles and the keys. One half of the keys is the
// sources', one the replicas'. Each role has an inline policy, an attached policy that all share, and a boundary.
func network(routes, roles, keys int) (*cloud, []settings.ApprovedRoute) {
	const managed, boundary = "arn:aws:iam::111122223333:policy/replication", "arn:aws:iam::111122223333:policy/boundary"
	c := &cloud{
		wait: 20 * time.Millisecond, buckets: make(map[string]cloudBucket), roles: make(map[string]cloudRole), keys: make(map[string]cloudKey),
		policies: map[string][]string{managed: {anyPolicy}, boundary: {anyPolicy}},
	}
	var approved []settings.ApprovedRoute
	for i := range routes {
		sourceKey := fmt.Sprintf("arn:aws:kms:%s:%s:key/source-%d", sourceRegion, sourceAccount, i%(keys/2))
		replicaKey := fmt.Sprintf("arn:aws:kms:%s:%s:key/replica-%d", destinationRegion, destinationAccount, i%(keys/2))
		role := fmt.Sprintf("arn:aws:iam::%s:role/replication/r%d", sourceAccount, i%roles)
		source, destination := fmt.Sprintf("source-%d", i), fmt.Sprintf("destination-%d", i)
		c.keys[sourceKey], c.keys[replicaKey] = cloudKey{"Enabled", anyPolicy}, cloudKey{"Enabled", anyPolicy}
		c.roles[role] = cloudRole{inline: []string{"p1"}, attached: []string{managed}, boundary: boundary}
		c.buckets[source] = cloudBucket{sourceAccount, sourceRegion, map[string]string{
			"replication": replicationXML(role, destination, destinationAccount, replicaKey), "encryption": encryptionXML(sourceKey),
		}}
		c.buckets[destination] = cloudBucket{destinationAccount, destinationRegion, map[string]string{
			"encryption": encryptionXML(replicaKey), "policy": anyPolicy,
		}}
		approved = append(approved, settings.ApprovedRoute{
			Name:        source,
			Source:      settings.Bucket{Bucket: source, Account: sourceAccount, Region: sourceRegion},
			Destination: settings.Bucket{Bucket: destination, Account: destinationAccount, Region: destinationRegion},
			Role:        settings.Role{ARN: arn(role)}, SourceKeys: []policy.ARN{arn(sourceKey)}, ReplicaKey: arn(replicaKey),
		})
	}
	return c, approved
}

func replicationXML(role, destination, account, key string) string {
	if account != "" {
		account = "<Account>" + account + "</Account>"
	}
	return fmt.Sprintf(`<ReplicationConfiguration><Role>%s</Role><Rule><ID>r1</ID><Priority>1</Priority><Status>Enabled</Status><Filter/>
		<SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>
		<DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>
		<Destination><Bucket>arn:aws:s3:::%s</Bucket>%s<EncryptionConfiguration><ReplicaKmsKeyID>%s</ReplicaKmsKeyID></EncryptionConfiguration></Destination>
		</Rule></ReplicationConfiguration>`, role, destination, account, key)
}

func encryptionXML(key string) string {
	return `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>` +
		key + `</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>`
}

func arn(text string) policy.ARN {
	a, err := policy.ParseARN(text)
	if err != nil {
		panic(err) // a test wrote it
	}
	return a
}

var _ aws.HTTPClient = (*cloud)(nil)
