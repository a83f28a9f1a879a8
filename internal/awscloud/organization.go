package awscloud

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// guard reads the guardrails of an account ahead, where they are wanted. The account is one of the snapshot.
func (u *run) guard(ctx context.Context, tasks *sync.WaitGroup, account string) {
	if !u.reader.options.Guardrails || account == "" {
		return
	}
	u.mu.Lock()
	u.accounts[account] = true
	u.mu.Unlock()
	tasks.Go(func() { u.guardrails(ctx, account) })
	tasks.Go(func() {
		if m := u.membership(ctx, account); m.organization != "" {
			u.tree(ctx, m.management)
		}
	})
}

// govern puts the organization of the sources and the guardrails of every account into the snapshot. All of them are read.
func (u *run) govern(ctx context.Context, sources []string) {
	if !u.reader.options.Guardrails {
		return
	}
	u.out.Guardrails = make(map[string]snapshot.Guardrails, len(u.accounts))
	for account := range u.accounts {
		read := u.guardrails(ctx, account)
		u.keep("guardrails."+account, read.refused)
		u.out.Guardrails[account] = read.value.V
	}
	var accounts []string // those of the sources first: another organization is not theirs
	for _, source := range sources {
		accounts = append(accounts, u.out.Buckets[source].V.Account)
	}
	for _, account := range append(accounts, slices.Sorted(maps.Keys(u.accounts))...) {
		if !u.accounts[account] {
			continue
		}
		m := u.membership(ctx, account)
		switch {
		case m.organization != "":
			t := u.tree(ctx, m.management)
			u.out.Organization = &snapshot.Organization{ID: m.organization, Accounts: t.accounts}
			if t.unlisted != nil {
				u.out.Unreadable["organization.accounts"] = refusal(t.unlisted)
			}
			return
		case m.err != nil:
			u.out.Unreadable["organization"] = refusal(m.err)
		}
	}
	if u.out.Organization != nil {
		delete(u.out.Unreadable, "organization")
	}
}

// membership is the organization of an account; without an organization and an error, it is in none.
type membership struct {
	organization, management string // ids of the organization and of its management account
	err                      error
}

// membership asks in the account itself: every member may know its organization. An account that nothing leads into is in that of
// the base, where it is listed there.
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
func (u *run) membership(ctx context.Context, account string) membership {
	return u.members.get(account, func() membership {
		d := u.enters(ctx, account)
		if d.err != nil {
			if caller := u.caller(ctx); caller != "" && caller != account {
				m := u.membership(ctx, caller)
				if m.organization != "" && slices.Contains(u.tree(ctx, m.management).accounts, account) {
					return m
				}
			}
			return membership{err: d.err}
		}
		out, err := d.org.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
		if err != nil {
			if absent(err) {
				err = nil
			}
			return membership{err: err}
		}
		return membership{organization: aws.ToString(out.Organization.Id), management: aws.ToString(out.Organization.MasterAccountId)}
	})
}

// tree is an organization from above.
type tree struct {
	root     string
	enabled  map[orgtypes.PolicyType]bool
	err      error // root and enabled are not known
	accounts []string
	unlisted error // accounts are not known
}

// delegate is the door to what an organization tells its management account and its delegated administrators: that of the
// management account, or without a way into it the base's, where it is of the same organization.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
func (u *run) delegate(ctx context.Context, management string) *door {
	d := u.enters(ctx, management)
	if d.err == nil {
		return d
	}
	if caller := u.caller(ctx); caller != "" && u.membership(ctx, caller).management == management {
		return u.door(ctx, place{caller, u.reader.home})
	}
	return d
}

func (u *run) tree(ctx context.Context, management string) tree {
	return u.trees.get(management, func() tree {
		d := u.delegate(ctx, management)
		if d.err != nil {
			return tree{err: d.err, unlisted: d.err}
		}
		var t tree
		var tasks sync.WaitGroup
		tasks.Go(func() {
			list := organizations.NewListAccountsPaginator(d.org, &organizations.ListAccountsInput{})
			t.accounts, t.unlisted = pages(ctx, list, func(page *organizations.ListAccountsOutput) []string {
				var out []string
				for _, a := range page.Accounts {
					out = append(out, aws.ToString(a.Id))
				}
				return out
			})
			slices.Sort(t.accounts)
		})
		list := organizations.NewListRootsPaginator(d.org, &organizations.ListRootsInput{})
		roots, err := pages(ctx, list, func(page *organizations.ListRootsOutput) []orgtypes.Root { return page.Roots })
		tasks.Wait()
		switch {
		case err != nil:
			t.err = err
		case len(roots) != 1:
			t.err = unusable("the organization has %d roots", len(roots)) // an organization has one
		default:
			t.root, t.enabled = aws.ToString(roots[0].Id), make(map[orgtypes.PolicyType]bool)
			for _, p := range roots[0].PolicyTypes {
				t.enabled[p.Type] = p.Status == orgtypes.PolicyTypeStatusEnabled
			}
		}
		return t
	})
}

// guardrails is the policies of the organization over an account.
func (u *run) guardrails(ctx context.Context, account string) reading[snapshot.Guardrails] {
	return u.guards.get(account, func() reading[snapshot.Guardrails] {
		m := u.membership(ctx, account)
		switch {
		case m.err != nil:
			text := refusal(m.err)
			return reading[snapshot.Guardrails]{refused: map[string]string{"scps": text, "rcps": text}}
		case m.organization == "", account == m.management:
			// Neither kind reaches the management account.
			// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
			// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
			free := snapshot.None[[][]policy.Document]()
			return reading[snapshot.Guardrails]{value: snapshot.Of(snapshot.Guardrails{SCPs: free, RCPs: free})}
		}
		var g snapshot.Guardrails
		var ms members
		fetch(&ms, "scps", &g.SCPs, func() (snapshot.Value[[][]policy.Document], error) {
			return u.levels(ctx, m.management, account, orgtypes.PolicyTypeServiceControlPolicy)
		})
		fetch(&ms, "rcps", &g.RCPs, func() (snapshot.Value[[][]policy.Document], error) {
			return u.levels(ctx, m.management, account, orgtypes.PolicyTypeResourceControlPolicy)
		})
		ms.tasks.Wait()
		return reading[snapshot.Guardrails]{value: snapshot.Of(g), refused: ms.refused()}
	})
}

// levels is the policies of a type from the root of the organization down to the account. Without that type in the organization
// none is in force, which is not the same as levels without a policy: those allow nothing.
func (u *run) levels(ctx context.Context, management, account string, of orgtypes.PolicyType) (snapshot.Value[[][]policy.Document], error) {
	var tasks sync.WaitGroup
	var t tree
	tasks.Go(func() { t = u.tree(ctx, management) })
	tasks.Go(func() { u.attachedTo(ctx, management, account, of) })
	targets := []string{account}
	var err error
	for child := account; err == nil; {
		p := u.parent(ctx, management, child)
		if err = p.err; err != nil || p.id == "" {
			break
		}
		child = p.id
		targets = append(targets, child)
		tasks.Go(func() { u.attachedTo(ctx, management, child, of) })
		if p.root {
			break
		}
		// An account is at most five organizational units below the root.
		// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
		if len(targets) > 10 {
			err = unusable("more than ten levels above the account")
		}
	}
	tasks.Wait()
	switch {
	case t.err != nil:
		return snapshot.Value[[][]policy.Document]{}, t.err
	case !t.enabled[of]:
		return snapshot.None[[][]policy.Document](), nil
	case err != nil:
		return snapshot.Value[[][]policy.Document]{}, err
	}
	slices.Reverse(targets)
	levels, err := each(ctx, targets, func(_ context.Context, target string) ([]policy.Document, error) {
		a := u.attachedTo(ctx, management, target, of)
		return a.policies, a.err
	})
	return snapshot.Of(levels), err
}

// branch is something of an organization, which its management account knows by that id.
type branch struct{ management, id string }

// parent is what an account or organizational unit is in.
type parent struct {
	id   string
	root bool
	err  error
}

func (u *run) parent(ctx context.Context, management, child string) parent {
	return u.parents.get(branch{management, child}, func() parent {
		d := u.delegate(ctx, management)
		if d.err != nil {
			return parent{err: d.err}
		}
		out, err := d.org.ListParents(ctx, &organizations.ListParentsInput{ChildId: &child})
		switch {
		case err != nil:
			return parent{err: err}
		case len(out.Parents) != 1:
			return parent{err: unusable("%s has %d parents", child, len(out.Parents))}
		}
		p := out.Parents[0]
		return parent{id: aws.ToString(p.Id), root: p.Type == orgtypes.ParentTypeRoot}
	})
}

// attachment is the policies of a type that are attached to a root, an organizational unit or an account.
type attachment struct {
	management, target string
	of                 orgtypes.PolicyType
}

type attachedDocuments struct {
	policies []policy.Document
	err      error
}

func (u *run) attachedTo(ctx context.Context, management, target string, of orgtypes.PolicyType) attachedDocuments {
	return u.attached.get(attachment{management, target, of}, func() attachedDocuments {
		d := u.delegate(ctx, management)
		if d.err != nil {
			return attachedDocuments{err: d.err}
		}
		list := organizations.NewListPoliciesForTargetPaginator(d.org, &organizations.ListPoliciesForTargetInput{TargetId: &target, Filter: of})
		ids, err := pages(ctx, list, func(page *organizations.ListPoliciesForTargetOutput) []string {
			var out []string
			for _, p := range page.Policies {
				out = append(out, aws.ToString(p.Id))
			}
			return out
		})
		if err != nil {
			return attachedDocuments{err: err}
		}
		documents, err := each(ctx, ids, func(_ context.Context, id string) (policy.Document, error) {
			// The context is that of the run: others wait for the same policy.
			p := u.organizationPolicy(ctx, d.org, management, id)
			return p.policy, p.err
		})
		return attachedDocuments{documents, err}
	})
}

func (u *run) organizationPolicy(ctx context.Context, c *organizations.Client, management, id string) document {
	return u.guardrail.get(branch{management, id}, func() document {
		out, err := c.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: &id})
		if err != nil {
			return document{err: err}
		}
		d, err := parseDocument(aws.ToString(out.Policy.Content))
		if err != nil {
			err = unusable("policy %s of the organization: %w", id, err)
		}
		return document{d, err}
	})
}
