package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/journal"
)

// TestPageOfPermissions holds docs/live.md against what the edges declare, both ways, and its table against the journal's.
func TestPageOfPermissions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/live.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	declared := journal.Needs()
	for _, n := range needs() {
		declared = append(declared, n.Action)
		row := regexp.MustCompile("(?m)^\\| `" + string(n.Role) + "` \\| .*`" + n.Action + "`").FindString(page)
		if row == "" {
			t.Errorf("the row of %s lacks %s", n.Role, n.Action)
		}
	}
	for _, n := range awscloud.ReadNeeds() {
		declared = append(declared, n.Action)
	}
	declared = append(declared, "sts:AssumeRole", "sts:SetSourceIdentity")
	named := regexp.MustCompile("`([a-z0-9-]+:[A-Z][A-Za-z]+)`").FindAllStringSubmatch(page, -1)
	if len(named) < 40 {
		t.Fatalf("the page names %d actions: is it read?", len(named))
	}
	for _, m := range named {
		if !slices.Contains(declared, m[1]) {
			t.Errorf("the page names %s, which nothing needs", m[1])
		}
	}
	for _, action := range declared {
		if action != "sts:GetCallerIdentity" && !strings.Contains(page, "`"+action+"`") {
			t.Errorf("the page lacks %s", action)
		}
	}
	shape := journal.Shape("replimend-incidents")
	for _, d := range shape.AttributeDefinitions {
		if !strings.Contains(page, "AttributeName="+aws.ToString(d.AttributeName)+",AttributeType="+string(d.AttributeType)) {
			t.Errorf("the page's table lacks attribute %s", aws.ToString(d.AttributeName))
		}
	}
	for _, index := range shape.GlobalSecondaryIndexes {
		want := "IndexName=" + aws.ToString(index.IndexName) + ",KeySchema=[{AttributeName=" + aws.ToString(index.KeySchema[0].AttributeName)
		if !strings.Contains(page, want) || !strings.Contains(page, "["+strings.Join(index.Projection.NonKeyAttributes, ",")+"]") {
			t.Errorf("the page's table lacks index %s", aws.ToString(index.IndexName))
		}
	}
	if !strings.Contains(page, "AttributeName="+journal.TTLAttribute+"\n") {
		t.Error("the page does not switch time to live on")
	}
}
