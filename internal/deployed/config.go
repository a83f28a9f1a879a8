// Package deployed is what the functions have in common: their configuration, how they start, what they hand over, and their figures. What
// each does is a package of its own, so that none links what only another uses. A function itself knows Lambda's types and nothing else.
package deployed

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// The environment of the functions.
const (
	TableVariable     = "REPLIMEND_TABLE"        // the name of the table of incidents
	ApprovalsVariable = "REPLIMEND_APPROVALS"    // the name of the table of approvals
	SealVariable      = "REPLIMEND_SEAL_KEY"     // the ARN of the KMS key that seals and verifies approvals
	WorkVariable      = "REPLIMEND_WORK_QUEUE"   // the URL of the worker's queue
	SweepVariable     = "REPLIMEND_SWEEP_QUEUE"  // the URL of the sweep's own queue
	NoticeVariable    = "REPLIMEND_NOTICE_QUEUE" // the URL of the queue of notices, where the settings have somebody to tell
	BusVariable       = "REPLIMEND_BUS"          // the name of the event bus
	// PropagationVariable is after how long what was written holds everywhere, such as 90s; without it a minute.
	PropagationVariable = "REPLIMEND_PROPAGATION"
	PageVariable        = "REPLIMEND_PAGE"     // where the page of incidents is, where the settings have one
	SettingsVariable    = "REPLIMEND_SETTINGS" // the file of the settings; without it SettingsFile beside the program
)

// SettingsFile is the name of the settings beside the program.
const SettingsFile = settings.File

// Config is the configuration of a function.
type Config struct {
	Table string // of incidents
	Work  string // the URL of the worker's queue
	Sweep string // the URL of the sweep's own queue; the sweep's alone
	// Notices is the URL of the queue of notices; "": there is nobody to tell.
	Notices string
	Bus     string // the name of the event bus; of who tells people alone
	// Page is where the page of incidents is, such as https://example.com; of who tells people alone. "": there is none.
	Page string

	// These are the worker's, and of who takes answers.
	Approvals string // the table of approvals
	Seal      string // the ARN of the key that seals and verifies them
	Settings  *settings.Settings

	// Propagation, the worker's, is after how long what was written holds everywhere: no replay is started before.
	Propagation time.Duration
}

// The times after which a replay is started: IAM, KMS and S3 promise no bound, and an incident has one replay.
const (
	defaultPropagation = time.Minute
	longestPropagation = time.Hour
)

// Environment is where a configuration comes from.
type Environment struct {
	Get     func(variable string) string
	Program string // the path of the program, beside which the settings are
}

// Process is the environment of this process.
func Process() (Environment, error) {
	program, err := os.Executable()
	return Environment{os.Getenv, program}, err
}

// Intake is the configuration of the function that takes events in. The error has every fault, one a line.
func (e Environment) Intake() (Config, error) {
	var c Config
	err := e.journal(&c)
	return c, err
}

// Change is the configuration of the function that takes changes in. The error has every fault, one a line.
func (e Environment) Change() (Config, error) {
	var c Config
	work := e.work(&c)
	var err error
	c.Settings, err = e.settings()
	return c, errors.Join(work, err)
}

// Worker is the configuration of the worker. The error has every fault, one a line.
func (e Environment) Worker() (Config, error) {
	var c Config
	faults := []error{e.journal(&c)}
	var err error
	c.Propagation, err = e.propagation()
	faults = append(faults, err)
	c.Settings, err = e.settings()
	return c, errors.Join(append(faults, err, e.approvals(&c), e.notices(&c))...)
}

// Herald is the configuration of the function that tells people. The error has every fault, one a line.
func (e Environment) Herald() (Config, error) {
	var c Config
	var faults [5]error
	c.Table, faults[0] = e.name(TableVariable, tableName, "the name of a table")
	c.Bus, faults[1] = e.name(BusVariable, busName, "the name of an event bus")
	c.Notices, faults[2] = e.queue(NoticeVariable)
	c.Settings, faults[3] = e.settings()
	if c.Settings != nil && c.Settings.Approvals.HasPage() {
		c.Page, faults[4] = e.page()
	}
	return c, errors.Join(faults[:]...)
}

// page reads where the page is. Lambda gives the URLs of functions with a slash at their end.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
func (e Environment) page() (string, error) {
	value := strings.TrimSuffix(e.Get(PageVariable), "/")
	if u, err := url.Parse(value); err != nil || u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != value {
		return "", fmt.Errorf("%s: %.200q is not the URL of the page", PageVariable, value)
	}
	return value, nil
}

// notices reads, after the settings, where notices go. Where there is nobody to tell they go nowhere.
func (e Environment) notices(c *Config) (err error) {
	if c.Settings != nil && len(c.Settings.Chat.Targets) > 0 {
		c.Notices, err = e.queue(NoticeVariable)
	}
	return err
}

// Desk is the configuration of the function that takes answers. The error has every fault, one a line.
func (e Environment) Desk() (Config, error) {
	var c Config
	faults := []error{e.journal(&c)}
	var err error
	c.Settings, err = e.settings()
	return c, errors.Join(append(faults, err, e.approvals(&c))...)
}

// Site is the configuration of the function that is the page. The error has every fault, one a line.
func (e Environment) Site() (Config, error) {
	c, err := e.Desk()
	if c.Settings != nil && !c.Settings.Approvals.HasPage() {
		err = errors.Join(err, errors.New("read settings: approvals has no page, or nobody who may answer: there is no page"))
	}
	return c, err
}

// Buttons is the configuration of the function that takes what buttons in Slack decide. The error has every fault, one a line.
func (e Environment) Buttons() (Config, error) {
	c, err := e.Desk()
	if c.Settings != nil && !c.Settings.Approvals.HasSlack() {
		err = errors.Join(err, errors.New("read settings: approvals has no slack, or nobody who may answer: there are no buttons"))
	}
	return c, err
}

// approvals reads, after the settings, where answers are kept and what seals them. Where nobody may approve there is no key.
func (e Environment) approvals(c *Config) error {
	var faults []error
	var err error
	c.Approvals, err = e.name(ApprovalsVariable, tableName, "the name of a table")
	faults = append(faults, err)
	if c.Approvals != "" && c.Approvals == c.Table {
		faults = append(faults, fmt.Errorf("%s: approvals have a table of their own, and not that of %s", ApprovalsVariable, TableVariable))
	}
	c.Seal = e.Get(SealVariable)
	if c.Seal == "" && c.Settings != nil && len(c.Settings.Approvals.Approvers) == 0 {
		return errors.Join(faults...)
	}
	if arn, err := policy.ParseARN(c.Seal); err != nil || arn.Service != "kms" {
		faults = append(faults, fmt.Errorf("%s: %.200q is not the ARN of a KMS key", SealVariable, c.Seal))
	}
	return errors.Join(faults...)
}

// Sweeper is the configuration of the sweep. The error has every fault, one a line.
func (e Environment) Sweeper() (Config, error) {
	var c Config
	faults := []error{e.journal(&c)}
	var err error
	c.Sweep, err = e.queue(SweepVariable)
	faults = append(faults, err)
	if c.Sweep != "" && c.Sweep == c.Work {
		faults = append(faults, fmt.Errorf("%s: the sweep has a queue of its own, and not that of %s", SweepVariable, WorkVariable))
	}
	c.Settings, err = e.settings()
	return c, errors.Join(append(faults, err, e.notices(&c))...)
}

// journal reads what every function needs that works on incidents.
func (e Environment) journal(c *Config) error {
	var table error
	c.Table, table = e.name(TableVariable, tableName, "the name of a table")
	return errors.Join(table, e.work(c))
}

// work reads where the worker's queue is.
func (e Environment) work(c *Config) (err error) {
	c.Work, err = e.queue(WorkVariable)
	return err
}

func (e Environment) queue(variable string) (string, error) {
	value := e.Get(variable)
	if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("%s: %.200q is not the URL of a queue", variable, value)
	}
	return value, nil
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3}[a-zA-Z0-9_.-]*$`)

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
var busName = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// longestName is checked beside the pattern: a repetition up to it would be written out at each cold start.
const longestName = 255

func (e Environment) name(variable string, pattern *regexp.Regexp, what string) (string, error) {
	value := e.Get(variable)
	if len(value) > longestName || !pattern.MatchString(value) {
		return "", fmt.Errorf("%s: %.200q is not %s", variable, value, what)
	}
	return value, nil
}

func (e Environment) propagation() (time.Duration, error) {
	value := e.Get(PropagationVariable)
	if value == "" {
		return defaultPropagation, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > longestPropagation {
		return 0, fmt.Errorf("%s: %.200q is not a time such as 90s, of an hour at most", PropagationVariable, value)
	}
	return d, nil
}

// settings reads the file of the settings, and gives all of its faults.
func (e Environment) settings() (*settings.Settings, error) {
	file := e.Get(SettingsVariable)
	if file == "" {
		file = filepath.Join(filepath.Dir(e.Program), SettingsFile)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	set, err := settings.Parse(data)
	if faults := (*settings.Error)(nil); errors.As(err, &faults) {
		return nil, faults.In(file)
	}
	return set, err
}
