package replay

import (
	"bytes"
	"encoding/csv"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
)

// TestManifestForm: the rows are as in AWS's own example, and safe for every way to read CSV and URLs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html#specify-batchjob-manifest
func TestManifestForm(t *testing.T) {
	t.Parallel()
	got, err := manifest("examplebucket", []incident.Object{
		{Key: "object key with spaces", VersionID: "9HkPvDaZY5MVbMhn6TMn1YTb5ArQAo3w"},
		{Key: "photos/jpgs/newjersey/objectkey5", VersionID: "imHf3FAiRsvBW_EHB8GOu.NHunHO1gVs"},
		{Key: "a,b", VersionID: "null"},
		{Key: "1+1\n\"é\"", VersionID: "v1"},
		{Key: "a,b", VersionID: "null"}, // the event came twice
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "examplebucket,1%2B1%0A%22%C3%A9%22,v1\n" +
		"examplebucket,a%2Cb,null\n" +
		"examplebucket,object%20key%20with%20spaces,9HkPvDaZY5MVbMhn6TMn1YTb5ArQAo3w\n" +
		"examplebucket,photos/jpgs/newjersey/objectkey5,imHf3FAiRsvBW_EHB8GOu.NHunHO1gVs\n"
	if string(got) != want {
		t.Errorf("manifest\n%s\nwant\n%s", got, want)
	}
}

// TestManifestRoundTrip: whoever decodes it, with a plus as a space or as itself, finds each version once and nothing else, in
// whatever order they were known.
func TestManifestRoundTrip(t *testing.T) {
	t.Parallel()
	object := rapid.Custom(func(t *rapid.T) incident.Object {
		key := rapid.OneOf(rapid.StringN(1, 40, 200), rapid.StringOfN(rapid.RuneFrom([]rune("a/+ ,\"'%\n\r\\;&é")), 1, 12, -1))
		return incident.Object{Key: key.Draw(t, "key"), VersionID: rapid.StringMatching(`[A-Za-z0-9._]{1,32}|null`).Draw(t, "version")}
	})
	rapid.Check(t, func(t *rapid.T) {
		objects := rapid.SliceOfN(object, 1, 20).Draw(t, "objects")
		text, err := manifest("source", objects)
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(string(text), func(r rune) bool { return r > unicode.MaxASCII || strings.ContainsRune("\"\r +;", r) }); i >= 0 {
			t.Fatalf("%q has a character that not everybody reads in the same way, at %d", text, i)
		}
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		type version struct{ key, id string }
		want := map[version]int{}
		for _, o := range objects {
			want[version{o.Key, o.VersionID}] = 1
		}
		for _, decode := range []func(string) (string, error){url.QueryUnescape, url.PathUnescape} {
			got := map[version]int{}
			for _, row := range rows {
				key, err := decode(row[1])
				if err != nil || row[0] != "source" {
					t.Fatalf("row %q: %v", row, err)
				}
				got[version{key, row[2]}]++
			}
			for v, n := range got {
				if want[v] != n {
					t.Fatalf("%q is there %d times, want %d", v, n, want[v])
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%d versions, want %d", len(got), len(want))
			}
		}
		turned := slices.Clone(objects)
		slices.Reverse(turned)
		if again, err := manifest("source", turned); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("in another order it is %q, was %q: %v", again, text, err)
		}
	})
}

// TestManifestTakesNoForeignRow: a version ID cannot bring a row, a column or an encoded character of its own.
func TestManifestTakesNoForeignRow(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "v\nother,key,v", "v,", "v\r", `"`, "v ", "%0A", "é", strings.Repeat("v", 1025)} {
		if text, err := manifest("source", []incident.Object{{Key: "key", VersionID: id}}); err == nil {
			t.Errorf("version %q gave %q", id, text)
		}
	}
}
