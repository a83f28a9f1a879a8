package lab_test

import (
	"testing"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestTagsOfReplicasTravelBackBetweenTwoRulesThatSync: one rule is not enough, and the way back needs permissions like any other.
func TestTagsOfReplicasTravelBackBetweenTwoRulesThatSync(t *testing.T) {
	const back = "arn:aws:iam::444455556666:role/back"
	sync := object{"ReplicaModifications": object{"Status": "Enabled"}, "SseKmsEncryptedObjects": object{"Status": "Enabled"}}
	for name, c := range map[string]struct {
		there, back, allowed bool
		want                 int
	}{
		"both":              {true, true, true, 1},
		"only there":        {true, false, true, 0},
		"only back":         {false, true, true, 0},
		"back is not there": {true, true, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.src.Encryption = encryption("AES256", "", false)
			w.documents["src"] = append(w.documents["src"], allow("Back", back, "s3:ReplicateObject", "arn:aws:s3:::src/*", nil))
			if c.there {
				fill(&w.rules[0].SourceSelectionCriteria, sync)
			}
			var r snapshot.Rule
			fill(&r, object{"ID": "back", "Status": "Enabled", "Filter": object{}, "Destination": object{"Bucket": "arn:aws:s3:::src", "Account": accountA}})
			if c.back {
				fill(&r.SourceSelectionCriteria, sync)
			}
			w.dst.Replication = snapshot.Of(snapshot.Replication{Role: back, Rules: []snapshot.Rule{r}})
			s := w.snapshot()
			statements := []object{}
			if c.allowed {
				statements = append(statements, allow("All", "", "s3:*", "*", nil))
			}
			s.Roles[arn(back)] = snapshot.Of(snapshot.Role{
				UniqueID: "AROAEXAMPLEBACK", Trust: snapshot.Of(document(w.documents["trust"]...)),
				Inline: snapshot.Of(map[string]policy.Document{"back": document(append(statements, allow("None", "", "s3:NothingHere", "*", nil))...)}),
			})
			cloud, err := lab.New(s, w.options)
			if err != nil {
				t.Fatal(err)
			}
			v := put(t, cloud, "a.txt", lab.PutOptions{})
			replicate(t, cloud)
			if err := cloud.SetTags("dst", "a.txt", map[string]string{"k": "v"}); err != nil {
				t.Fatal(err)
			}
			if got := len(head(t, cloud, "src", v).Tags.V); got != c.want {
				t.Errorf("the source object has %d tags, want %d", got, c.want)
			}
		})
	}
}

func TestTagsOfSourceObjectsAreReplicatedAgain(t *testing.T) {
	c := newWorld().cloud(t)
	v := put(t, c, "a.txt", lab.PutOptions{})
	replicate(t, c)
	if err := c.SetTags("src", "a.txt", map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	replicate(t, c)
	if got := head(t, c, "dst", v).Tags.V["k"]; got != "v" {
		t.Errorf("the replica has tag %q", got)
	}
}
