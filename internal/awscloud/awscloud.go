// Package awscloud reads snapshots and writes documents through the APIs of AWS: one file for each kind of document. What it may not
// read is missing and listed as unreadable, never empty; what it writes, it compares before and reads after.
//
// The functions and the command line give it to package remedy as its ports. It decides nothing: it knows neither a diagnosis nor
// a guard, and what errors mean it asks package awserr.
package awscloud
