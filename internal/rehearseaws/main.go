// Command rehearseaws breaks a route between two sandbox accounts of AWS and waits until Replimend has cured it. It makes everything
// that it needs, has Replimend deployed, and removes all of it again, also after an error or Ctrl-C.
//
//	rehearseaws --accounts 111122223333,444455556666 --profiles source,destination --regions us-east-1,eu-west-1
//	rehearseaws --accounts … --profiles … --regions … --clean replimend-rehearsal-0123abcd
//
// The first account has the source bucket and the hub. Both must be the accounts that the profiles are of, and neither may have Replimend.
// It is linked into nothing. It has not yet been run against AWS itself.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/replimend/replimend/internal/awsconfig"
)

// prefix is what everything that a run makes is named with, before 8 hexadecimal digits, and the key of its tag.
const prefix = "replimend-rehearsal"

var runName = regexp.MustCompile(`^` + prefix + `-[0-9a-f]{8}$`)

// cost is what people are told before anything is made.
// https://aws.amazon.com/kms/pricing/
// https://aws.amazon.com/s3/pricing/
const cost = `It costs, while it lasts: two KMS keys at US$1.00 a month each, by the hour; the stacks, see the README's table, by the hour;
at least one job of S3 Batch Operations at US$0.25; some hundred requests. Keys are scheduled for deletion, which takes 7 days and costs
nothing. The CDK's bootstrap stacks stay.
This has not yet been run against AWS itself, only against an emulator: look at both accounts afterwards.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends it
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rehearse-aws:", err)
		os.Exit(1)
	}
}

// run is the program.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("rehearseaws", flag.ContinueOnError)
	accounts := flags.String("accounts", "", "the two accounts that may be touched: source and hub, destination")
	profiles := flags.String("profiles", "", "the profiles of these accounts")
	regions := flags.String("regions", "", "the Regions of the two buckets; the hub is in the first")
	name := flags.String("clean", "", "only remove what the run of that `NAME` left behind")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *name != "" && !runName.MatchString(*name) {
		return fmt.Errorf("read --clean: %q is not the name of a run, which looks like %s-0123abcd", *name, prefix)
	}
	source, destination, err := connect(ctx, *accounts, *profiles, *regions)
	if err != nil {
		return err
	}
	r := &rehearsal{
		Name: *name, Source: source, Destination: destination, out: out, make: runMake, every: 15 * time.Second, patience: time.Hour,
	}
	if r.Name != "" {
		return r.clean(ctx)
	}
	digits := make([]byte, 4)
	_, _ = rand.Read(digits) // never fails
	r.Name = prefix + "-" + hex.EncodeToString(digits)
	fmt.Fprint(out, cost)
	return r.rehearse(ctx)
}

// account is one of the two accounts, with the Region of its bucket.
type account struct {
	ID, Profile, Region string
	cfg                 aws.Config
}

// connect takes both accounts as the command line names them, and refuses credentials of any other.
func connect(ctx context.Context, accounts, profiles, regions string) (source, destination account, err error) {
	id, profile, region := strings.Split(accounts, ","), strings.Split(profiles, ","), strings.Split(regions, ",")
	if len(id) != 2 || len(profile) != 2 || len(region) != 2 || id[0] == id[1] {
		return source, destination, errors.New("read arguments: --accounts, --profiles and --regions take two values each, with a comma between " +
			"them, and the accounts are different ones")
	}
	for i, a := range []*account{&source, &destination} {
		*a = account{ID: id[i], Profile: profile[i], Region: region[i]}
		if a.cfg, err = config.LoadDefaultConfig(
			ctx, config.WithSharedConfigProfile(a.Profile), config.WithRegion(a.Region), config.WithLogger(logging.Nop{}),
			config.WithHTTPClient(awsconfig.HTTPClient()), config.WithRetryer(awsconfig.Retryer),
		); err != nil {
			return source, destination, fmt.Errorf("load AWS configuration: %w", err)
		}
		if err := a.verify(ctx); err != nil {
			return source, destination, err
		}
	}
	return source, destination, nil
}

// verify refuses credentials of another account than the one that was named.
func (a account) verify(ctx context.Context) error {
	who, err := sts.NewFromConfig(a.cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fmt.Errorf("identify profile %s: %w", a.Profile, err)
	}
	if got := aws.ToString(who.Account); got != a.ID {
		return fmt.Errorf("identify profile %s: it is of account %s, and %s was named: nothing was touched", a.Profile, got, a.ID)
	}
	return nil
}

// runMake runs a target of the Makefile with the credentials of a profile.
func runMake(ctx context.Context, out io.Writer, profile string, args ...string) error {
	cmd := exec.CommandContext(ctx, "make", append([]string{"--no-print-directory"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	cmd.Env = append(os.Environ(), "AWS_PROFILE="+profile)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make %s with profile %s: %w", args[0], profile, err)
	}
	return nil
}
