// Command infra is the CDK app: the hub, and what the members have for it. It makes templates out of one file, the settings that the
// functions run with, too, and reads nothing else: no account is asked, and none is needed to make them.
//
// The file is that of the variable REPLIMEND_SETTINGS, else replimend.yaml. With a fault in it all faults are printed and nothing is made. The functions' zips are in dist/functions, or in the folder that REPLIMEND_FUNCTIONS names.
package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/settings"
)

func main() { os.Exit(run()) }

// run is the program. What it gives back is its exit code: 2 for settings from which nothing can be made.
func run() int {
	// Before Node is started: what is wrong with the settings is the last that is printed.
	set, err := read(cmp.Or(os.Getenv(deployed.SettingsVariable), deployed.SettingsFile))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	if err := build(app, set, zipped(cmp.Or(os.Getenv("REPLIMEND_FUNCTIONS"), filepath.Join("dist", "functions")))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := printCosts(os.Stdout, *app.Synth(nil).Directory()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// read reads the settings. The error has every fault, one a line, with the place in the file.
func read(file string) (*settings.Settings, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	set, err := settings.ParseToDeploy(data)
	if faults := (*settings.Error)(nil); errors.As(err, &faults) {
		return nil, faults.In(file)
	}
	return set, err
}

// zipped finds the functions' zips in a folder, where make functions puts them.
func zipped(folder string) func(grants.Function) (code, error) {
	return func(f grants.Function) (code, error) {
		name := filepath.Join(folder, strings.TrimPrefix(string(f), "replimend-")+".zip")
		zip, err := os.Open(name)
		if err != nil {
			return code{}, fmt.Errorf("read code: %w (make functions makes it)", err)
		}
		defer zip.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, zip); err != nil {
			return code{}, fmt.Errorf("read code: %w", err)
		}
		path, err := filepath.Abs(name)
		return code{path, hex.EncodeToString(sum.Sum(nil))}, err
	}
}

// build puts every stack of the settings into an app, in an order in which each finds what it needs: roles of members let in functions
// of the hub, rules of Regions use a role of the member, and the hub subscribes to topics that are there.
func build(app awscdk.App, set *settings.Settings, zips func(grants.Function) (code, error)) error {
	hub := newStack(app, hubStack, set.Hub.Account, set.Hub.Region, "Replimend: the hub")
	if err := newHub(hub, set, zips); err != nil {
		return err
	}
	subscriptions := newStack(app, subscriptionsStack, set.Hub.Account, set.Hub.Region, "Replimend: what the hub hears from members")
	subscriptions.AddStackDependency(hub, nil)
	newSubscriptions(subscriptions, set)
	for _, m := range set.Members {
		member := newPlainStack(app, memberStack(m.Account), m.Account, home(m), "Replimend: roles and kill switch of a member")
		member.AddStackDependency(hub, nil)
		if err := newMember(member, set, m); err != nil {
			return err
		}
		for _, r := range m.Regions {
			region := newPlainStack(app, regionStack(m.Account, r), m.Account, r, "Replimend: topic, rules and reports in a Region of a member")
			region.AddStackDependency(member, nil)
			if err := newRegion(region, set); err != nil {
				return err
			}
			subscriptions.AddStackDependency(region, nil)
		}
		relay := newPlainStack(app, relayStack(m.Account), m.Account, relayRegion(hubPartition(set)), "Replimend: sends changes of roles to the hub")
		relay.AddStackDependency(member, nil)
		newRelay(relay, set)
	}
	if set.ManagementAccount == "" {
		return nil
	}
	organization := newPlainStack(app, organizationStack, set.ManagementAccount, organizationRegion(hubPartition(set)),
		"Replimend: sends changes of the organization's policies to the hub")
	organization.AddStackDependency(hub, nil)
	return newOrganization(organization, set)
}

func newStack(app awscdk.App, name, account, region, description string) awscdk.Stack {
	return awscdk.NewStack(app, jsii.String(name), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String(account), Region: jsii.String(region)}, Description: jsii.String(description),
	})
}

// newPlainStack makes a stack whose template is CloudFormation and nothing else: it has no parameters, asks for no bootstrap and uses no
// assets, so that StackSets and people can deploy it, too.
func newPlainStack(app awscdk.App, name, account, region, description string) awscdk.Stack {
	return awscdk.NewStack(app, jsii.String(name), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String(account), Region: jsii.String(region)}, Description: jsii.String(description),
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{GenerateBootstrapVersionRule: jsii.Bool(false)}),
	})
}
