package iac

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// prelude is the part of every script that knows nothing of its plan.
//
//go:embed awscli.sh
var prelude string

// awscli is a POSIX shell script. It runs once under the credentials of each account: every document is compared with the one
// that the plan was made from before the first is written.
func awscli(p plan) (string, error) {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n" + comment("#", p.head()...))
	if len(p.accounts) == 0 {
		return b.String(), nil
	}
	fmt.Fprintf(&b, "\nset -eu\nfolder=%s\n%s", shell("replimend-"+p.hash), prelude)
	number := 0
	var ids []string
	for _, a := range p.accounts {
		ids = append(ids, a.id)
		fmt.Fprintf(&b, "\n%saccount_%s() {\n", comment("#", "account "+a.id), a.id)
		var write strings.Builder
		var undo []string
		for _, d := range a.documents {
			number++
			d.compare(&b, number)
			d.write(&write, number)
			undo = append(undo, d.undo(fmt.Sprintf("replimend-%s/%d", p.hash, number)))
		}
		b.WriteString("\n" + write.String() + "}\n\n")
		b.WriteString(comment("#", fmt.Sprintf("Undo, under credentials of account %s and while nobody has changed them since:", a.id)))
		slices.Reverse(undo)
		b.WriteString(strings.Join(undo, ""))
	}
	b.WriteString("\ncaller=$(aws sts get-caller-identity --query Account --output text)\ncase $caller in\n")
	for _, id := range ids {
		fmt.Fprintf(&b, "%s) account_%s ;;\n", id, id)
	}
	fmt.Fprintf(&b, "*) refuse \"these are credentials of account $caller, not of %s\" ;;\nesac\n", strings.Join(ids, " or "))
	if len(ids) > 1 {
		fmt.Fprintf(&b, "say \"account $caller is done, of %s\"\n", strings.Join(ids, ", "))
	}
	return b.String(), nil
}

// compare writes both documents to files, reads the live one and compares it.
func (d document) compare(b *strings.Builder, number int) {
	b.WriteString(comment("\t#", append([]string{d.what()}, d.facts()...)...))
	for _, file := range []struct {
		name string
		text snapshot.Value[policy.Document]
	}{{"expected", d.edit.Before}, {"after", d.edit.After}} {
		if text, ok := file.text.Get(); ok {
			fmt.Fprintf(b, "\tcat >\"$folder/%d.%s.json\" <<'END_OF_JSON'\n%s\nEND_OF_JSON\n", number, file.name, asciiJSON(text.Indent()))
		} else {
			fmt.Fprintf(b, "\t: >\"$folder/%d.%s.json\"\n", number, file.name)
		}
	}
	fmt.Fprintf(b, "\tlive %d %s\n\tcompare %d %s\n", number, d.get(), number, shell(d.what()))
}

// get is the error code of a document that is not there, and the command that reads it.
func (d document) get() string {
	switch d.kind {
	case rolePolicy, userPolicy:
		return "NoSuchEntity " + d.inline("get") + " --query PolicyDocument --output json"
	case roleTrust:
		return fmt.Sprintf("- aws iam get-role %s --query Role.AssumeRolePolicyDocument --output json", option("role-name", d.name))
	case bucketPolicy:
		return fmt.Sprintf("NoSuchBucketPolicy aws s3api get-bucket-policy %s --query Policy --output text", d.bucket())
	default:
		return fmt.Sprintf("- aws kms get-key-policy %s --query Policy --output text", d.key())
	}
}

func (d document) write(b *strings.Builder, number int) {
	fmt.Fprintf(b, "\tif is_pending %d; then\n\t\t%s\n\t\tsay %s\n\tfi\n", number,
		d.put(fmt.Sprintf("\"file://$folder/%d.after.json\"", number)), shell("written: "+d.what()))
}

func (d document) put(file string) string {
	switch d.kind {
	case rolePolicy, userPolicy:
		return d.inline("put") + " --policy-document " + file
	case roleTrust:
		return fmt.Sprintf("aws iam update-assume-role-policy %s --policy-document %s", option("role-name", d.name), file)
	case bucketPolicy:
		return fmt.Sprintf("aws s3api put-bucket-policy %s --policy %s", d.bucket(), file)
	default:
		return fmt.Sprintf("aws kms put-key-policy %s --policy %s", d.key(), file)
	}
}

// undo is a command in a comment. Only an inline policy and a bucket's policy can have been absent.
func (d document) undo(path string) string {
	command := d.put(shell("file://" + path + ".before.json"))
	switch {
	case d.existed():
	case d.kind == rolePolicy, d.kind == userPolicy:
		command = d.inline("delete")
	case d.kind == bucketPolicy:
		command = "aws s3api delete-bucket-policy " + d.bucket()
	}
	return "#   " + command + "\n"
}

// inline is a command about an inline policy: get, put or delete.
func (d document) inline(verb string) string {
	return fmt.Sprintf("aws iam %s-%s-policy %s %s", verb, d.noun(), option(d.noun()+"-name", d.name), option("policy-name", d.policyName))
}

func (d document) bucket() string {
	return option("bucket", d.name) + " " + option("expected-bucket-owner", d.edit.Account)
}

func (d document) key() string {
	return option("region", d.region) + " " + option("key-id", d.arn) + " --policy-name default"
}

// option joins name and value, so that a value that begins with - is none by itself.
func option(name, value string) string { return "--" + name + "=" + shell(value) }

// shell is a text as one word of a POSIX shell: between single quotes nothing has a meaning but a single quote.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02
func shell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// asciiJSON escapes in the strings of a JSON text what a terminal could obey, and all that depends on a locale.
func asciiJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r < unicode.MaxASCII && r >= ' ':
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\u%04x\u%04x`, (r-0x10000)>>10+0xD800, (r-0x10000)&0x3FF+0xDC00)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
