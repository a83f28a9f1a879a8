package lab

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// EditBucket changes a bucket's configuration: encryption, ownership, notifications and the like. The edit must leave account
// and region alone. What it writes is taken as it is, where SetRule and SetPolicy refuse what S3 would.
func (c *Cloud) EditBucket(name string, edit func(*snapshot.Bucket)) error {
	return c.withBucket(name, func(b *bucket) error {
		edit(&b.Bucket)
		b.Bucket = settledBucket(b.Bucket)
		return nil
	})
}

// EditRole changes a role: attached policies, boundary, tags. What it writes is taken as it is.
func (c *Cloud) EditRole(arn policy.ARN, edit func(*snapshot.Role)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, role, err := lookup(c.roles, arn.String(), "NoSuchEntity")
	if err == nil {
		edit(role)
		*role = settledRole(*role)
	}
	return err
}

// EditKey changes a key: grants, aliases, tags. What it writes is taken as it is.
func (c *Cloud) EditKey(arn policy.ARN, edit func(*snapshot.Key)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, key, err := lookup(c.keys, arn.String(), "NotFoundException")
	if err == nil {
		edit(key)
		*key = settledKey(*key)
	}
	return err
}

// SetGuardrails puts the organization's policies over an account.
func (c *Cloud) SetGuardrails(account string, g snapshot.Guardrails) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.guardrails == nil {
		c.guardrails = map[string]snapshot.Guardrails{}
	}
	c.guardrails[account] = g
}

// SetReplication puts a whole replication configuration and refuses what PutBucketReplication would.
func (c *Cloud) SetReplication(bucketName string, r snapshot.Replication) error {
	return c.withBucket(bucketName, func(b *bucket) error {
		if err := acceptRules(b, r.Rules); err != nil {
			return err
		}
		if role, err := policy.ParseARN(r.Role); err != nil || role.Account != b.Account {
			// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
			return refuse("AccessDenied", "%s cannot be passed to S3 for a bucket of account %s", r.Role, b.Account)
		}
		b.Replication = snapshot.Of(snapshot.Replication{Role: r.Role, Rules: slices.Clone(r.Rules)})
		return nil
	})
}

// SetRule puts a rule in place of the one of its id, or adds it, and refuses what PutBucketReplication would.
func (c *Cloud) SetRule(bucketName string, r snapshot.Rule) error {
	return c.withBucket(bucketName, func(b *bucket) error {
		if b.Replication.State != snapshot.Present {
			return refuse("ReplicationConfigurationNotFoundError", "%s has no replication configuration", b.name)
		}
		rules := slices.Clone(b.Replication.V.Rules)
		if i := slices.IndexFunc(rules, func(o snapshot.Rule) bool { return o.ID == r.ID }); i >= 0 {
			rules[i] = r
		} else {
			rules = append(rules, r)
		}
		if err := acceptRules(b, rules); err != nil {
			return err
		}
		b.Replication.V.Rules = rules
		return nil
	})
}

// DeleteRule removes a rule, and the configuration with its last one.
func (c *Cloud) DeleteRule(bucketName, id string) error {
	return c.withBucket(bucketName, func(b *bucket) error {
		rules := slices.DeleteFunc(slices.Clone(b.Replication.V.Rules), func(r snapshot.Rule) bool { return r.ID == id })
		b.Replication.V.Rules = rules
		if len(rules) == 0 {
			b.Replication = snapshot.None[snapshot.Replication]()
		}
		return nil
	})
}

// SuspendVersioning suspends versioning, which S3 refuses for a bucket with a replication configuration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html
func (c *Cloud) SuspendVersioning(bucketName string) error {
	return c.withBucket(bucketName, func(b *bucket) error {
		if b.Replication.State == snapshot.Present {
			return refuse("InvalidBucketState", "a replication configuration is present on %s: delete it first", b.name)
		}
		b.Versioning = snapshot.Of("Suspended")
		return nil
	})
}

// CreateBucket makes a bucket of a name that is free, for whichever account.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func (c *Cloud) CreateBucket(name string, b snapshot.Bucket) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buckets[name] != nil {
		return refuse("BucketAlreadyExists", "the name %s is taken", name)
	}
	c.buckets[name] = &bucket{Bucket: settledBucket(b), name: name}
	return nil
}

// DeleteBucket deletes a bucket with everything in it.
func (c *Cloud) DeleteBucket(bucketName string) error {
	return c.withBucket(bucketName, func(b *bucket) error {
		c.buckets[b.name] = nil
		return nil
	})
}

func (c *Cloud) withBucket(name string, edit func(*bucket) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[name]
	if b == nil {
		return noSuchBucket(name)
	}
	return edit(b)
}

// SetKeyState puts a key into a state, as DescribeKey names it: Enabled, Disabled, PendingDeletion, …
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func (c *Cloud) SetKeyState(arn policy.ARN, state string) error {
	return c.EditKey(arn, func(k *snapshot.Key) { k.State = state })
}

// DisableKey disables a key.
func (c *Cloud) DisableKey(arn policy.ARN) error { return c.SetKeyState(arn, "Disabled") }

// DeleteKey deletes a key, as KMS does when the waiting period is over.
func (c *Cloud) DeleteKey(arn policy.ARN) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _, err := lookup(c.keys, arn.String(), "NotFoundException")
	if err == nil {
		c.keys[arn] = nil
	}
	return err
}

// DeleteRole deletes a role with its policies. Principals and grantees that name it become its unique id, which names nobody
// any more.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
func (c *Cloud) DeleteRole(arn policy.ARN) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, role, err := lookup(c.roles, arn.String(), "NoSuchEntity")
	if err != nil {
		return err
	}
	c.roles[arn] = nil
	return c.forget(arn, role.UniqueID)
}

// RecreateRole deletes a role and makes another one of the same name, policies and tags: it has a new unique id, and the
// documents that named the old one do not name it.
func (c *Cloud) RecreateRole(arn policy.ARN) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, role, err := lookup(c.roles, arn.String(), "NoSuchEntity")
	if err != nil {
		return err
	}
	c.roles[arn] = nil
	if err := c.forget(arn, role.UniqueID); err != nil {
		return err
	}
	role.UniqueID = c.uniqueID()
	c.roles[arn] = role
	return nil
}

// forget writes the unique id of a deleted role wherever its ARN stood as a principal.
func (c *Cloud) forget(arn policy.ARN, uniqueID string) error {
	rename := func(v *snapshot.Value[policy.Document]) error {
		if v.State != snapshot.Present {
			return nil
		}
		d, err := renamePrincipal(v.V, arn.String(), uniqueID)
		if err != nil {
			return fmt.Errorf("rename principal %s: %w", arn, err)
		}
		v.V = d
		return nil
	}
	for _, b := range c.buckets {
		if b != nil {
			if err := rename(&b.Policy); err != nil {
				return err
			}
		}
	}
	for _, role := range c.roles {
		if role != nil {
			if err := rename(&role.Trust); err != nil {
				return err
			}
		}
	}
	for _, key := range c.keys {
		if key == nil {
			continue
		}
		if err := rename(&key.Policy); err != nil {
			return err
		}
		for i := range key.Grants.V {
			if key.Grants.V[i].GranteePrincipal == arn.String() {
				key.Grants.V[i].GranteePrincipal = uniqueID
			}
		}
	}
	return nil
}

// renamePrincipal is the document with a principal under another name, everything else as it was.
func renamePrincipal(d policy.Document, from, to string) (policy.Document, error) {
	text, err := d.MarshalJSON()
	if err != nil {
		return policy.Document{}, err
	}
	root, err := jsontree.Parse(text, policy.MaxSize)
	if err != nil {
		return policy.Document{}, err
	}
	statements := mapItems(root.Get("Statement"), func(s jsontree.Node) jsontree.Node {
		for _, member := range []string{"Principal", "NotPrincipal"} {
			p := s.Get(member)
			if names := p.Get("AWS"); names.Present() {
				s = s.With(member, p.With("AWS", mapItems(names, func(n jsontree.Node) jsontree.Node {
					if n.Text == from {
						return jsontree.Str(to)
					}
					return n
				})))
			}
		}
		return s
	})
	return policy.FromNode(root.With("Statement", statements), "")
}

// mapItems maps the items of a list, or the one value that stands in place of a list.
func mapItems(n jsontree.Node, f func(jsontree.Node) jsontree.Node) jsontree.Node {
	if n.Kind != jsontree.Array {
		return f(n)
	}
	items := make([]jsontree.Node, len(n.Items))
	for i, item := range n.Items {
		items[i] = f(item)
	}
	return jsontree.List(items...)
}
