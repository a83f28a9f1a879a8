package jsontree

import "unicode"

// Visible says whether a character of a text from outside can be shown to people as it is: whether it neither makes a terminal do
// something nor hides, reorders or looks like nothing. Go's idea of what prints has letters and marks that no font draws, such as
// U+3164: with one of them two names differ and look alike.
// https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
func Visible(r rune) bool {
	const brailleBlank = '\u2800' // a symbol without dots
	return unicode.IsPrint(r) && r != brailleBlank && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
