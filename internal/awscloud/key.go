package awscloud

import (
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// keyARN is the ARN of the key or of the alias that a text means in an account and Region: a key id and the name of an alias
// say neither. It is zero when it is the ARN of something else, or the text means nothing.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
func keyARN(text string, at place) policy.ARN {
	if arn, err := policy.ParseARN(text); err == nil {
		usable := arn.Service == "kms" && policy.IsAccountID(arn.Account) && isRegion(arn.Region) && arn.Partition == policy.Partition(arn.Region)
		if !usable || !isKey(arn) && !isAlias(arn) {
			return policy.ARN{}
		}
		return arn
	}
	if text == "" || !policy.IsAccountID(at.account) || !isRegion(at.region) {
		return policy.ARN{}
	}
	if !strings.HasPrefix(text, "alias/") {
		text = "key/" + text
	}
	return policy.ARN{Partition: policy.Partition(at.region), Service: "kms", Region: at.region, Account: at.account, Resource: text}
}

func isKey(arn policy.ARN) bool   { return strings.HasPrefix(arn.Resource, "key/") }
func isAlias(arn policy.ARN) bool { return strings.HasPrefix(arn.Resource, "alias/") }

// keepKey has the key in the snapshot that a text means at a place. An alias that means no key leaves no trace: no key of the
// snapshot has it.
func (u *run) keepKey(ctx context.Context, text string, at place) {
	arn := keyARN(text, at)
	if arn.IsZero() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.keep("keys."+text, map[string]string{"": refusal(unusable("it names no KMS key in a known account and Region"))})
		return
	}
	if isAlias(arn) {
		t := u.alias(ctx, arn)
		if t.err != nil && !absent(t.err) {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.keep("keys."+text, map[string]string{"": refusal(t.err)})
		}
		if t.err != nil {
			return
		}
		arn = t.key
	}
	var tasks sync.WaitGroup
	defer tasks.Wait()
	u.guard(ctx, &tasks, arn.Account)
	read := u.key(ctx, arn)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.keep("keys."+arn.String(), read.refused) && read.value.State != snapshot.Missing {
		u.out.Keys[arn] = read.value
	}
}

// target is the key that an alias means.
type target struct {
	key policy.ARN
	err error
}

// alias asks by the alias's ARN, because its name alone would mean one of the caller's account.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
func (u *run) alias(ctx context.Context, arn policy.ARN) target {
	return u.aliases.get(arn, func() target {
		d := u.door(ctx, place{arn.Account, arn.Region})
		if d.err != nil {
			return target{err: d.err}
		}
		out, err := d.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(arn.String())})
		if err != nil {
			return target{err: err}
		}
		key, err := policy.ParseARN(aws.ToString(out.KeyMetadata.Arn))
		if err != nil || !isKey(key) || key.Account != arn.Account || key.Region != arn.Region {
			return target{err: unusable("the alias means %.200q, which is no key of its account and Region", aws.ToString(out.KeyMetadata.Arn))}
		}
		return target{key: key}
	})
}

// key is the key of that ARN.
func (u *run) key(ctx context.Context, arn policy.ARN) reading[snapshot.Key] {
	return u.keys.get(arn, func() reading[snapshot.Key] {
		d := u.door(ctx, place{arn.Account, arn.Region})
		if d.err != nil {
			return reading[snapshot.Key]{refused: map[string]string{"": refusal(d.err)}}
		}
		return readKey(ctx, d.kms, arn)
	})
}

func readKey(ctx context.Context, c *kms.Client, arn policy.ARN) reading[snapshot.Key] {
	id := arn.String()
	var key snapshot.Key
	var meta *kmstypes.KeyMetadata
	var m members
	fetch(&m, "state", &meta, func() (*kmstypes.KeyMetadata, error) {
		out, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
		if err != nil {
			return nil, err
		}
		return out.KeyMetadata, nil
	})
	fetch(&m, "policy", &key.Policy, func() (snapshot.Value[policy.Document], error) {
		out, err := c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &id, PolicyName: aws.String("default")})
		if err != nil {
			return snapshot.Value[policy.Document]{}, err
		}
		return present(parseDocument(aws.ToString(out.Policy)))
	})
	fetch(&m, "grants", &key.Grants, func() (snapshot.Value[[]snapshot.Grant], error) {
		list := kms.NewListGrantsPaginator(c, &kms.ListGrantsInput{KeyId: &id, Limit: aws.Int32(100)})
		grants, err := pages(ctx, list, func(page *kms.ListGrantsOutput) []kmstypes.GrantListEntry { return page.Grants })
		if err != nil {
			return snapshot.Value[[]snapshot.Grant]{}, err
		}
		if grants == nil {
			grants = []kmstypes.GrantListEntry{}
		}
		return as[[]snapshot.Grant](grants)
	})
	fetch(&m, "aliases", &key.Aliases, func() (snapshot.Value[[]string], error) {
		list := kms.NewListAliasesPaginator(c, &kms.ListAliasesInput{KeyId: &id, Limit: aws.Int32(100)})
		return present(pages(ctx, list, func(page *kms.ListAliasesOutput) []string {
			var out []string
			for _, a := range page.Aliases {
				out = append(out, aws.ToString(a.AliasName))
			}
			return out
		}))
	})
	fetch(&m, "tags", &key.Tags, func() (snapshot.Value[map[string]string], error) {
		list := kms.NewListResourceTagsPaginator(c, &kms.ListResourceTagsInput{KeyId: &id})
		tags, err := pages(ctx, list, func(page *kms.ListResourceTagsOutput) []kmstypes.Tag { return page.Tags })
		return snapshot.Of(tagMap(tags, func(t kmstypes.Tag) (k, v *string) { return t.TagKey, t.TagValue })), err
	})
	m.tasks.Wait()
	switch {
	case absent(m.errs["state"]):
		return reading[snapshot.Key]{value: snapshot.None[snapshot.Key]()}
	case len(m.errs) == m.asked:
		return reading[snapshot.Key]{refused: map[string]string{"": refusal(m.errs["state"])}}
	}
	if meta != nil {
		key.State, key.Manager = string(meta.KeyState), string(meta.KeyManager)
		key.Spec, key.Usage = string(meta.KeySpec), string(meta.KeyUsage)
		key.MultiRegion = aws.ToBool(meta.MultiRegion)
	}
	return reading[snapshot.Key]{value: snapshot.Of(key), refused: m.refused()}
}
