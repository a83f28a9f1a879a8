package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/awsconfig"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/settings"
)

// defaultSettings is read when it is there and no other file is named.
const defaultSettings = settings.File

// live is the flags of every command that talks to AWS.
type live struct {
	profiles []string
	region   string
	settings string
}

func (l *live) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&l.profiles, "profile", nil, "AWS `PROFILE`; give one for each account, the source's first. Without any: the environment's credentials")
	f.StringVar(&l.region, "region", "", "AWS `REGION` where buckets are looked for first")
	f.StringVar(&l.settings, "settings", "", "`FILE` of approved routes and members; without it "+defaultSettings+", if it is there")
}

// cloud is a connection: who calls, and where documents are read and written.
type cloud struct {
	base     aws.Config
	direct   map[string]aws.Config // by account
	accounts *awscloud.Accounts
	settings *settings.Settings
	found    string   // the file of the settings; "": there is none
	caller   string   // ARN of who calls, with the first profile
	account  string   // the caller's
	own      []string // the accounts that a profile is of, in the order of the profiles
}

// connect finds out which account each profile is of. It makes one call for each.
func (p *program) connect(ctx context.Context, l live) (*cloud, error) {
	set, file, err := p.readSettings(l.settings)
	if err != nil {
		return nil, err
	}
	profiles := l.profiles
	if len(profiles) == 0 {
		profiles = []string{""}
	}
	c := &cloud{settings: set, found: file, direct: map[string]aws.Config{}}
	for i, profile := range profiles {
		cfg, err := load(ctx, profile, l.region)
		if err != nil {
			return nil, hinted(err, "check ~/.aws/config, and the name that --profile gives")
		}
		account, caller, err := identify(ctx, cfg, profile)
		if err != nil {
			return nil, err
		}
		if _, twice := c.direct[account]; twice {
			return nil, hinted(fmt.Errorf("%s is of account %s, as another one is", called(profile), account), "give one profile for each account")
		}
		c.direct[account] = cfg
		c.own = append(c.own, account)
		if i == 0 {
			c.base, c.account, c.caller = cfg, account, caller
		}
	}
	if file != "" && l.settings == "" {
		p.note("settings are of %s in this folder", file)
	}
	c.accounts = awscloud.NewAccounts(awscloud.Access{Base: c.base, Direct: c.direct, Members: set.Members})
	return c, nil
}

// load reads the SDK's configuration as the AWS CLI does: environment, files, and the endpoint that AWS_ENDPOINT_URL names. An
// empty profile or region is the environment's.
func load(ctx context.Context, profile, region string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}), // what it warns of is either an error as well, or of no concern to who reads it
		config.WithHTTPClient(awsconfig.HTTPClient()),
		config.WithRetryer(awsconfig.Retryer),
	}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, fmt.Errorf("load AWS configuration: %w", err)
	}
	cfg.Region = cmp.Or(cfg.Region, awsconfig.DefaultRegion)
	return cfg, nil
}

// patience is how long AWS may take to say who a profile is. It is the first call: who cannot reach AWS hears so before long.
const patience = 20 * time.Second

// identify asks AWS whose credentials a profile has.
func identify(ctx context.Context, cfg aws.Config, profile string) (account, caller string, err error) {
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil { // it may ask for a code or open a browser, so that it takes the time it takes
		return "", "", noCredentials(err, profile)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, func(o *sts.Options) { o.RetryMaxAttempts = 3 })
	if err == nil {
		return aws.ToString(who.Account), aws.ToString(who.Arn), nil
	}
	err = fmt.Errorf("ask AWS who %s is: %w", called(profile), err)
	if _, ok := reason(err); ok {
		return "", "", hinted(err, "aws sts get-caller-identity shows whether the credentials work; after aws sso login or with other keys try again")
	}
	return "", "", hinted(err, "check the network, its proxy and AWS_ENDPOINT_URL: nothing was read or written")
}

// noCredentials says that a profile has none that can be used. The last place where they are looked for is the metadata service of a
// machine in AWS: that there is none says nothing to who sits elsewhere.
func noCredentials(err error, profile string) error {
	var call *smithy.OperationError
	if errors.As(err, &call) && call.Service() == "ec2imds" {
		err = errors.New("the environment, ~/.aws and this machine have none")
	}
	return hinted(fmt.Errorf("find the credentials of %s: %w", called(profile), err),
		"--profile NAME or AWS_PROFILE names a profile of ~/.aws/config; aws sso login renews one that has expired")
}

func called(profile string) string {
	if profile == "" {
		return "the caller"
	}
	return "profile " + profile
}

// readSettings reads the named file, or the one that lies here, or gives settings that approve nothing.
func (p *program) readSettings(name string) (set *settings.Settings, file string, err error) {
	file = name
	if file == "" {
		file = defaultSettings
		// An empty one is what > and >> leave before anything was written into it.
		if info, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0 {
			return &settings.Settings{Version: settings.Version, Limits: settings.DefaultLimits()}, "", nil
		}
	}
	data, err := p.read(file, settings.MaxSize)
	if err != nil {
		return nil, "", err
	}
	set, err = settings.Parse(data)
	var faults *settings.Error
	if errors.As(err, &faults) {
		// All of them at once: who mends one and runs again only to see the next has lost the morning.
		last := len(faults.Faults) - 1
		for _, f := range faults.Faults[:last] {
			fmt.Fprintf(p.stderr, "replimend: %s\n", render.Clean(fmt.Sprintf("%s:%s", label(file), f)))
		}
		return nil, "", hinted(fmt.Errorf("%s:%s", label(file), faults.Faults[last]), "docs/examples/replimend.yaml shows every member")
	}
	return set, file, err
}

// route is the approved route of that name, or the routes of that bucket or BUCKET/RULE: what people call a route.
func (c *cloud) route(name string) (source, rule string) {
	if r, ok := c.settings.Route(name); ok {
		return r.Source.Bucket, r.Rule.ID
	}
	source, rule, _ = strings.Cut(name, "/")
	return source, rule
}

// reader reads with what the settings know of the routes.
func (p *program) reader(c *cloud, done func(done, total int)) *awscloud.Reader {
	o := p.reading(c)
	o.Progress = done
	return awscloud.NewReader(c.accounts, o)
}

func (p *program) reading(c *cloud) awscloud.ReadOptions {
	return awscloud.ReadOptions{Approved: c.settings.Routes, Guardrails: true, Now: time.Now}
}

// person has the credentials that a person has for an account, without a role of Replimend.
func (c *cloud) person(account, region string) aws.Config {
	cfg, ok := c.direct[account]
	if !ok {
		cfg = c.base
	}
	cfg = cfg.Copy()
	cfg.Region = region
	return cfg
}

// counter is a bar for what takes long and whose length shows on the way. Only a terminal has one.
func (p *program) counter(what string) (tell func(done, total int), end func()) {
	if !isTerminal(p.stderr) {
		return nil, func() {}
	}
	bar := p.bar(what, 1)
	_ = bar.RenderBlank() // the first answer may take a while
	return func(done, total int) {
		bar.ChangeMax(total)
		_ = bar.Set(done)
	}, func() { _ = bar.Finish() }
}

// note says something beside the output.
func (p *program) note(format string, args ...any) {
	fmt.Fprintf(p.stderr, "note: %s\n", render.Clean(fmt.Sprintf(format, args...)))
}
