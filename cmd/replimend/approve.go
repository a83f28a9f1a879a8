package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/render"
)

// approvalVariable has the URL of the approval function.
const approvalVariable = "REPLIMEND_APPROVAL_URL"

// answering is the flags of approve and reject.
type answering struct {
	url, profile, reason string
	yes                  bool
	answer               incident.Answer
}

func (p *program) approveCommand() *cobra.Command {
	a := answering{answer: incident.Approve}
	cmd := &cobra.Command{
		Use:   "approve INCIDENT",
		Short: "Let the deployed robot carry out the plan of an incident",
		Long: `Show what the deployed robot wants to write for an incident, and after a yes tell it that it may. It writes with its own roles, and
only when the plan is still the very one that was shown: when a document has changed by then, people are asked again.

Who may approve stands under approvals in the settings that the robot was deployed with. Who made the change that broke the route cannot
approve its cure alone, and where the settings say so two people have to approve a plan that edits a key policy.

The answer is sent to the approval function, signed with your credentials: who you are is what AWS says. You need
lambda:InvokeFunctionUrl on it, and lambda:InvokeFunction with the condition lambda:InvokedViaFunctionUrl.

Exit code: 0 the approval is kept, also when one more person is needed, 1 nothing was approved, because you did not say yes or nobody
is asked about this plan, 2 an argument is wrong, you may not approve, or something failed on the way.`,
		Example: `  replimend approve inc-0123456789abcdef0123 --url https://example.lambda-url.eu-west-1.on.aws
  replimend approve inc-0123456789abcdef0123 --profile storage-on-call`,
	}
	return p.answers(cmd, &a)
}

func (p *program) rejectCommand() *cobra.Command {
	a := answering{answer: incident.Decline}
	cmd := &cobra.Command{
		Use:   "reject INCIDENT",
		Short: "Forbid the deployed robot to carry out the plan of an incident",
		Long: `Show what the deployed robot wants to write for an incident, and after a yes tell it that it may not. One person's no stands against
everybody's yes, until it expires or that person approves.

The answer is sent as that of replimend approve is, and the same people may give it.

Exit code: 0 the answer is kept, 1 nothing was rejected, because you did not say yes or nobody is asked about this plan, 2 an argument is
wrong, you may not answer, or something failed on the way.`,
		Example: `  replimend reject inc-0123456789abcdef0123 --reason ticket-42 --url https://example.lambda-url.eu-west-1.on.aws`,
	}
	cmd.Flags().StringVar(&a.reason, "reason", "", "`TEXT` that says why, for the log of the function")
	return p.answers(cmd, &a)
}

func (p *program) recallCommand() *cobra.Command {
	a := answering{answer: incident.Undo}
	cmd := &cobra.Command{
		Use:   "recall INCIDENT",
		Short: "Have the deployed robot take back what it wrote for an incident",
		Long: `Show what the deployed robot wrote for an incident and still stands, and after a yes tell it to take that back. It does so with its own
roles, the last change first. A document that somebody changed since is theirs and left as it is. Then the robot asks a person before
it cures that route again, also where the route is automatic.

The answer is sent as that of replimend approve is, and the same people may give it; one of them is enough. Where the robot is not
deployed, replimend undo does it with credentials of your own.

Exit code: 0 the answer is kept, 1 nothing was recalled, because you did not say yes or nothing stands, 2 an argument is wrong, you may not
answer, or something failed on the way.`,
		Example: `  replimend recall inc-0123456789abcdef0123 --reason ticket-42 --profile storage-on-call`,
	}
	cmd.Flags().StringVar(&a.reason, "reason", "", "`TEXT` that says why, for the log of the function")
	return p.answers(cmd, &a)
}

// answers completes a command that answers.
func (p *program) answers(cmd *cobra.Command, a *answering) *cobra.Command {
	cmd.Args = exactly("INCIDENT", 1)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return p.answer(cmd.Context(), *a, args[0]) }
	f := cmd.Flags()
	f.StringVar(&a.url, "url", "", "`URL` of the approval function; without it that of "+approvalVariable)
	f.StringVar(&a.profile, "profile", "", "AWS `PROFILE` that you answer with; without it the environment's credentials")
	f.BoolVar(&a.yes, "yes", false, "do not ask: what is shown is meant")
	_ = cmd.RegisterFlagCompletionFunc("url", cobra.NoFileCompletions)
	return cmd
}

// answer shows what people are asked, asks, and sends the answer with the hash of the plan that was shown.
func (p *program) answer(ctx context.Context, a answering, id string) error {
	if !incident.IsID(id) { // it becomes a part of an address
		return hinted(fmt.Errorf("%.80q is not the ID of an incident", id), "it looks like inc-0123456789abcdef0123; the notice has it")
	}
	d, err := p.desk(ctx, cmp.Or(a.url, p.getenv(approvalVariable)), a.profile)
	if err != nil {
		return err
	}
	var asked incident.Asked
	if err := d.call(ctx, http.MethodGet, "/incidents/"+id, nil, &asked); err != nil {
		return p.unanswered(err)
	}
	if a.answer == incident.Undo {
		asked.Proposal = nil // what is proposed is not what is taken back
	}
	page := p.printer()
	fmt.Fprint(p.out, page.Asked(asked))
	plan, question, otherwise := a.about(asked)
	if asked.Incident != id {
		plan, otherwise = "", "nobody is asked about this incident"
	}
	if plan == "" {
		p.raise(exitBroken)
		fmt.Fprintf(p.out, "\n%s: nothing was sent\n", otherwise)
		return nil
	}
	yes, err := p.ask(ctx, question, a.yes)
	if err != nil {
		return err
	}
	if !yes {
		p.raise(exitBroken)
		fmt.Fprintln(p.out, "\nnothing was sent")
		return nil
	}
	said, err := json.Marshal(incident.Said{Plan: plan, Answer: a.answer, Reason: a.reason})
	if err != nil {
		return err
	}
	var taken incident.Taken
	if err := d.call(ctx, http.MethodPost, "/incidents/"+id+"/answer", said, &taken); err != nil {
		return p.unanswered(err)
	}
	fmt.Fprint(p.out, "\n", page.Taken(taken))
	return nil
}

// about is the plan that the answer is about and what to ask before it is sent, or why there is nothing to answer.
func (a answering) about(asked incident.Asked) (plan, question, otherwise string) {
	if a.answer == incident.Undo {
		if asked.Standing == nil {
			return "", "", "nothing that was written for this incident stands"
		}
		return asked.Standing.Plan, "have all of that taken back?", ""
	}
	shown := incident.Incident{Outcome: asked.Outcome, Proposal: asked.Proposal}
	if asked.Proposal != nil {
		shown.Plan = asked.Proposal.Plan
	}
	if !shown.Answerable() {
		return "", "", "nobody is asked about this incident"
	}
	if a.answer == incident.Decline {
		return shown.Plan, "reject this plan?", ""
	}
	return shown.Plan, "approve this plan?", ""
}

// unanswered tells of an answer that was not taken. That a plan is no longer asked about is no error: nothing was done, and nothing is
// wrong.
func (p *program) unanswered(err error) error {
	var no *denial
	if errors.As(err, &no) && no.status == http.StatusConflict {
		p.raise(exitBroken)
		fmt.Fprintf(p.out, "\nthe answer was not taken: %s\n", render.Clean(no.text))
		return nil
	}
	return err
}

// desk is the approval function, as somebody with credentials reaches it.
type desk struct {
	base   *url.URL
	region string
	cfg    aws.Config
	client *http.Client
}

// deskRegion is the Region in the host of a function URL.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
var deskRegion = regexp.MustCompile(`\.lambda-url\.([a-z0-9-]+)\.on\.`)

// desk reads the address, and the credentials of a profile. It makes no call of the function.
func (p *program) desk(ctx context.Context, address, profile string) (*desk, error) {
	u, err := url.Parse(address)
	local := err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
	switch {
	case address == "":
		return nil, hinted(errors.New("no URL of the approval function is given"), "give --url, or set "+approvalVariable)
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, hinted(fmt.Errorf("%.200q is not the URL of a function", address), "it looks like https://example.lambda-url.eu-west-1.on.aws")
	case u.Scheme != "https" && (u.Scheme != "http" || !local):
		return nil, hinted(fmt.Errorf("%.200q is not https", address), "whoever is on the way could read what you are shown, and change it")
	}
	cfg, err := load(ctx, profile, "")
	if err != nil {
		return nil, hinted(err, "check ~/.aws/config, and the name that --profile gives")
	}
	d := &desk{base: u, region: cfg.Region, cfg: cfg}
	if m := deskRegion.FindStringSubmatch(u.Hostname()); m != nil {
		d.region = m[1]
	}
	// An answer is for this address alone.
	d.client = &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if b, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok { // with the proxies and authorities that the SDK was told of
		d.client.Transport = b.GetTransport()
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, noCredentials(err, profile)
	}
	return d, nil
}

// denial is what the function says where it does not do what it is asked.
type denial struct {
	status int
	text   string
}

func (d *denial) Error() string { return d.text }

// maxAnswer bounds what the function answers, in bytes: several times what the longest diff has.
const maxAnswer = 1 << 20

// call makes one call, signed for Lambda, and reads its answer.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func (d *desk) call(ctx context.Context, method, path string, body []byte, into any) error {
	at := d.base.JoinPath(path)
	r, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call the approval function: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	credentials, err := d.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return noCredentials(err, "")
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), "lambda", d.region, time.Now()); err != nil {
		return fmt.Errorf("sign call of the approval function: %w", err)
	}
	response, err := d.client.Do(r)
	if err != nil {
		return hinted(fmt.Errorf("call the approval function: %w", err),
			"check the URL, the network and its proxy: whether the answer arrived is not known, and to give it again is safe")
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("read what the approval function answers: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return denied(response.StatusCode, text)
	}
	if len(text) > maxAnswer || json.Unmarshal(text, into) != nil {
		return hinted(errors.New("what answers is not the approval function"), "check the URL")
	}
	return nil
}

// denied is why the function, or Lambda before it, does not do what it is asked.
func denied(status int, text []byte) error {
	var said struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(text, &said) != nil || said.Error.Message == "" {
		hint := "check the URL"
		if status == http.StatusForbidden {
			hint = "you need lambda:InvokeFunctionUrl and lambda:InvokeFunction on the approval function, and its Region is a part of the signature"
		}
		return hinted(fmt.Errorf("the approval function answers %d %s", status, http.StatusText(status)), hint)
	}
	hint := "the log of the approval function has more"
	switch status {
	case http.StatusNotFound:
		hint = "replimend incidents list --open shows the incidents of a journal"
	case http.StatusForbidden:
		hint = "approvals.approvers in replimend.yaml says who may answer, by the role or user that --profile is of"
	}
	return hinted(&denial{status, said.Error.Message}, hint)
}
