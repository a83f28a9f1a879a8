package mutation

import (
	"fmt"
	"slices"
	"strings"
)

// statementEdits is every change of one statement: each of its elements dropped, swapped for a lookalike, or turned.
func statementEdits(w *world, d document, s tree) []edit {
	return slices.Concat(effectEdits(s), actionEdits(s), resourceEdits(w, s), principalEdits(s), conditionEdits(w, d, s))
}

func effectEdits(s tree) []edit {
	if s["Effect"] != "Allow" {
		return nil
	}
	return []edit{{class: "Allow becomes Deny", text: "Effect", apply: func(s tree) { s["Effect"] = "Deny" }}}
}

// lookalikes is for each action one that people write in its place.
var lookalikes = map[string]string{
	"s3:GetReplicationConfiguration": "s3:GetBucketReplication", "s3:ListBucket": "s3:ListBucketVersions",
	"s3:GetObjectVersionForReplication": "s3:GetObjectVersion", "s3:GetObjectVersion": "s3:GetObject",
	"s3:GetObjectVersionAcl": "s3:GetObjectAcl", "s3:GetObjectVersionTagging": "s3:GetObjectTagging",
	"s3:ReplicateObject": "s3:PutObject", "s3:ReplicateDelete": "s3:DeleteObject", "s3:ReplicateTags": "s3:PutObjectTagging",
	"s3:ObjectOwnerOverrideToBucketOwner": "s3:PutObjectAcl", "s3:GetObjectRetention": "s3:PutObjectRetention",
	"s3:GetObjectLegalHold": "s3:PutObjectLegalHold", "kms:Decrypt": "kms:ReEncryptFrom", "kms:Encrypt": "kms:ReEncryptTo",
	"s3:GetObject": "s3:GetObjectVersion", "s3:PutObject": "s3:PutObjectTagging", "kms:GenerateDataKey": "kms:GenerateDataKeyWithoutPlaintext", "sts:AssumeRole": "sts:AssumeRoleWithWebIdentity",
	"*": "ec2:*", "s3:*": "s3:Put*", "kms:*": "kms:Describe*", "s3:Get*": "s3:GetBucket*", "s3:List*": "s3:ListAll*",
	"s3:GetObjectVersion*": "s3:GetObjectVersionA*", "s3:Replicate*": "s3:ReplicateD*", "kms:GenerateDataKey*": "kms:GenerateDataKeyP*",
}

func actionEdits(s tree) []edit {
	var out []edit
	for _, member := range []string{"Action", "NotAction"} {
		all := list(s[member])
		for i, action := range all {
			if len(all) > 1 {
				out = append(out, edit{class: "drop an action", text: fmt.Sprint(action), apply: func(s tree) { s[member] = without(all, i) }})
			}
			if other, ok := lookalikes[action.(string)]; ok {
				class := "another action"
				if strings.Contains(action.(string), "*") {
					class = "a narrower action pattern"
				}
				out = append(out, edit{class: class, text: fmt.Sprintf("%s → %s", action, other), apply: func(s tree) { s[member] = with(all, i, other) }})
			}
		}
	}
	return out
}

func resourceEdits(w *world, s tree) []edit {
	var out []edit
	all := list(s["Resource"])
	for i, resource := range all {
		if len(all) > 1 {
			out = append(out, edit{class: "drop a resource", text: resource.(string), apply: func(s tree) { s["Resource"] = without(all, i) }})
		}
		for _, o := range otherResources(w, resource.(string)) {
			out = append(out, edit{class: o.class, text: fmt.Sprintf("%s → %s", resource, o.text), apply: func(s tree) {
				s["Resource"] = with(all, i, o.text)
			}})
		}
	}
	return out
}

// swap is another value in the place of one.
type swap struct{ class, text string }

func otherResources(w *world, arn string) []swap {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) != 6 {
		return nil // * names a key policy's own key, or everything
	}
	at := func(i int, v string) string { return strings.Join(withText(fields, i, v), ":") }
	name := fields[5]
	switch {
	case fields[2] == "kms":
		id := strings.TrimPrefix(name, "key/")
		return []swap{
			{"a key's alias", at(5, "alias/"+id)},
			{"another key", at(5, "key/00000000-0000-0000-0000-000000000000")},
			{"another Region", at(3, w.otherRegion(fields[3]))},
			{"another account", at(4, stranger)},
		}
	case fields[2] == "s3":
		bucket, key, isObject := strings.Cut(name, "/")
		out := []swap{{"another bucket", at(5, strings.Replace(name, bucket, "amzn-s3-demo-other", 1))}}
		if !isObject {
			return append(out, swap{"bucket and objects swapped", at(5, bucket+"/*")})
		}
		return append(out, swap{"bucket and objects swapped", at(5, bucket)}, swap{"a narrower prefix", at(5, bucket+"/"+strings.TrimSuffix(key, "*")+"elsewhere/*")})
	default:
		return nil
	}
}

func withText(all []string, i int, v string) []string {
	out := slices.Clone(all)
	out[i] = v
	return out
}

// stranger is an account that no world has.
const stranger = "999900001111"

func otherAccount(arn string) string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) != 6 {
		return stranger
	}
	return strings.Join(withText(fields, 4, stranger), ":")
}

// otherRegion is the Region at the other end of the route, or one that the world does not have.
func (w *world) otherRegion(not string) string {
	for _, name := range sortedKeys(w.tree["buckets"]) {
		if r, _ := step(w.tree, "buckets", name, "region").(string); r != not {
			return r
		}
	}
	return "ap-south-1"
}

func principalEdits(s tree) []edit {
	of, ok := s["Principal"].(tree)
	if !ok {
		return nil
	}
	var out []edit
	for _, kind := range sortedKeys(of) {
		all := list(of[kind])
		for i, p := range all {
			set := func(class string, e element, v string) {
				out = append(out, edit{class: class, element: e, text: fmt.Sprintf("%s → %s", p, v), apply: func(s tree) {
					s["Principal"].(tree)[kind] = with(all, i, v)
				}})
			}
			if len(all) > 1 {
				out = append(out, edit{class: "drop a principal", text: p.(string), apply: func(s tree) { s["Principal"].(tree)[kind] = without(all, i) }})
			}
			switch text := p.(string); {
			case kind == "Service":
				set("another service", plain, "ec2.amazonaws.com")
			case strings.HasSuffix(text, ":root"):
				set("another account", plain, otherAccount(text))
			case strings.Contains(text, ":role/"), strings.Contains(text, ":user/"):
				noun, id := "role", "AROADELETEDROLEEXAMPL"
				if strings.Contains(text, ":user/") {
					noun, id = "user", "AIDADELETEDUSEREXAMPL"
				}
				prefix, _, _ := strings.Cut(text, ":"+noun+"/")
				name := text[strings.LastIndex(text, "/")+1:]
				if text != prefix+":"+noun+"/"+name {
					set("a "+noun+" without its path", lookalike, prefix+":"+noun+"/"+name)
				}
				set("a "+noun+" under another path", lookalike, prefix+":"+noun+"/elsewhere/"+name)
				set("the unique id of a deleted "+noun, deleted, id)
				set("another "+noun, plain, prefix+":"+noun+"/other")
				set("another account", plain, otherAccount(text))
			}
		}
	}
	return out
}

// conditionEdits is about what is there and what people add. An added condition never stands in a Deny: there it would only
// narrow what is denied.
func conditionEdits(w *world, d document, s tree) []edit {
	var out []edit
	conditions, _ := s["Condition"].(tree)
	for _, operator := range sortedKeys(conditions) {
		for _, key := range sortedKeys(conditions[operator]) {
			out = append(out, oneCondition(w, s, operator, key)...)
		}
	}
	if s["Effect"] != "Allow" {
		return out
	}
	add := func(class, operator, key, value string) {
		out = append(out, edit{class: class, element: condition, text: key, apply: func(s tree) {
			c, ok := s["Condition"].(tree)
			if !ok {
				c = tree{}
				s["Condition"] = c
			}
			keys, ok := c[operator].(tree)
			if !ok {
				keys = tree{}
				c[operator] = keys
			}
			keys[key] = value
		}})
	}
	add("a condition that S3 never meets", "StringEquals", "aws:SourceVpce", "vpce-1a2b3c4d")
	add("a condition that S3 meets", "Bool", "aws:SecureTransport", "true")
	if d.place == roleTrust {
		add("a condition that nobody can decide", "StringEquals", "aws:SourceAccount", "111122223333")
	} else {
		add("a condition that nobody can decide", "NumericGreaterThanEquals", "s3:TlsVersion", "1.2")
	}
	return out
}

func oneCondition(w *world, s tree, operator, key string) []edit {
	all := list(object(s, "Condition", operator)[key])
	of := map[string]element{"kms:viaservice": via, "kms:encryptioncontext:aws:s3:arn": encContext}
	e, ok := of[strings.ToLower(key)]
	if !ok {
		e = condition
	}
	out := []edit{{class: "drop a condition", element: e, text: key, apply: func(s tree) {
		keys := object(s, "Condition", operator)
		delete(keys, key)
		if len(keys) == 0 {
			delete(object(s, "Condition"), operator)
		}
		if len(object(s, "Condition")) == 0 {
			delete(s, "Condition")
		}
	}}}
	set := func(class, text string, values []any) {
		out = append(out, edit{class: class, element: e, text: key + " " + text, apply: func(s tree) { object(s, "Condition", operator)[key] = values }})
	}
	for i, v := range all {
		if len(all) > 1 {
			set("drop a condition value", fmt.Sprint(v), without(all, i))
		}
	}
	each := func(class string, f func(string) string) {
		values := make([]any, len(all))
		for i, v := range all {
			values[i] = f(v.(string))
		}
		set(class, fmt.Sprint(values), values)
	}
	switch e {
	case via:
		each("ViaService of another Region", func(v string) string {
			fields := strings.SplitN(v, ".", 3)
			return "s3." + w.otherRegion(fields[1]) + "." + fields[2]
		})
		each("ViaService of another service", func(v string) string { return strings.Replace(v, "s3.", "ec2.", 1) })
	case encContext:
		each("a context of the bucket alone", func(v string) string { bucket, _, _ := strings.Cut(v, "/"); return bucket })
		each("a context of the objects alone", func(v string) string { bucket, _, _ := strings.Cut(v, "/"); return bucket + "/*" })
		each("a context of another bucket", func(v string) string { return strings.Replace(v, ":::", ":::amzn-s3-demo-other", 1) })
		if operator == "StringLike" {
			out = append(out, edit{class: "an exact operator", element: e, text: key, apply: func(s tree) {
				c := object(s, "Condition")
				delete(object(c, operator), key)
				if len(object(c, operator)) == 0 {
					delete(c, operator)
				}
				keys, _ := c["StringEquals"].(tree)
				if keys == nil {
					keys = tree{}
					c["StringEquals"] = keys
				}
				keys[key] = all
			}})
		}
	default:
		each("another condition value", func(v string) string {
			switch v {
			case "true":
				return "false"
			case "false":
				return "true"
			default:
				return v + "-other"
			}
		})
	}
	return out
}
