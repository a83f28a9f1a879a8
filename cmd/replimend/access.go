package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/route"
)

func (a *access) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.principal, "principal", "", "`ARN` of a role, a user or a session of a role: explain why it can or cannot use the bucket")
	cmd.Flags().StringVar(&a.bucket, "bucket", "", "`NAME` of the bucket that the principal uses")
	cmd.Flags().StringVar(&a.operation, "operation", "", "what the principal does there, `OPERATION`: get or put")
	cmd.Flags().StringVar(&a.key, "key", "", "`KEY` of the one object, if it is about one")
	_ = cmd.RegisterFlagCompletionFunc("operation", cobra.FixedCompletions([]string{"get", "put"}, cobra.ShellCompDirectiveNoFileComp))
}

// check is the operation, once everything is given that belongs together.
func (in *inputs) check(command string) (route.Operation, error) {
	a := in.access
	switch {
	case a.principal == "":
		return "", hinted(errors.New("--bucket, --operation and --key are about a principal, and none is given"), command+" --principal ARN")
	case a.bucket == "" || a.operation == "":
		return "", hinted(errors.New("a principal is given without bucket or operation"), command+" --principal ARN --bucket NAME --operation get|put")
	case len(in.buckets) > 0:
		return "", hinted(errors.New("--live reads routes, not what a principal uses"), "docs/take-snapshot.py --principal ARN reads it into a file")
	case in.event != "" || in.route != "":
		return "", hinted(errors.New("--event and --route are about routes, not about a principal"), "leave them out, or leave --principal out")
	}
	o, err := route.ParseOperation(a.operation)
	if err != nil {
		return "", hinted(err, command+" --operation get")
	}
	return o, nil
}

// diagnoses hands on the diagnosis of every file: of its routes, or of the access that is asked about.
func (p *program) diagnoses(cmd *cobra.Command, in inputs, args []string, show func(name string, several bool, d diagnose.Diagnosis) error) error {
	if in.access != (access{}) {
		return p.eachAccess(cmd, in, args, show)
	}
	return p.each(cmd, in, args, show)
}

// eachAccess diagnoses the access in every file and hands the diagnosis on, as each does.
func (p *program) eachAccess(cmd *cobra.Command, in inputs, args []string, show func(name string, several bool, d diagnose.Diagnosis) error) error {
	operation, err := in.check(cmd.CommandPath())
	if err != nil {
		return err
	}
	files, err := in.files(args, cmd.CommandPath())
	if err != nil {
		return err
	}
	for _, name := range files {
		d, err := p.accessDiagnosis(name, in.access, operation)
		if err == nil {
			err = show(name, len(files) > 1, d)
		}
		p.fail(err)
	}
	return nil
}

func (p *program) accessDiagnosis(name string, of access, operation route.Operation) (diagnose.Diagnosis, error) {
	s, err := p.snapshot(name)
	if err != nil {
		return diagnose.Diagnosis{}, err
	}
	a, err := route.NewAccess(s, of.principal, of.bucket, operation, of.key)
	if err != nil {
		return diagnose.Diagnosis{}, hinted(err, "as in --principal arn:aws:iam::111122223333:role/reader --bucket amzn-s3-demo-bucket")
	}
	d := diagnose.DiagnoseAccess(s, a)
	return diagnose.Diagnosis{Schema: diagnose.Schema, Routes: []diagnose.Route{}, Accesses: []diagnose.Access{d}}, nil
}
