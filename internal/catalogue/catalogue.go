// Package catalogue is every text of a chat message and of a page, in every language. A text without all its languages does not compile.
//
// What is said of one incident in particular, such as which statement of which policy denies what, is evidence and stays as it was
// found, in English; the catalogue says around it what it is, and explains causes and rules by their names.
//
// The Japanese words for what AWS names are those of its Japanese documentation.
// https://docs.aws.amazon.com/ja_jp/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
package catalogue

import (
	"fmt"

	"github.com/replimend/replimend/internal/settings"
)

// text is one text in every language. Values are at %[1]s and so on, so that a language may order them as it has to.
type text [2]string

// in makes a text: English and Japanese, and neither without the other.
func in(english, japanese string) text { return text{english, japanese} }

// say is the text in a language, with values in it.
func (t text) say(l settings.Language, values ...any) string {
	s := t[0]
	if l == settings.Japanese {
		s = t[1]
	}
	if len(values) == 0 {
		return s
	}
	return fmt.Sprintf(s, values...)
}
