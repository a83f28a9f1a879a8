package replay

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/incident"
)

// Dollars are US dollars in millionths.
type Dollars int64

// String is rounded up to a cent.
func (d Dollars) String() string {
	const cent = 10_000
	cents := (d + cent - 1) / cent
	return fmt.Sprintf("$%d.%02d", cents/100, cents%100)
}

// The prices of us-east-1, by the price list of AmazonS3 of 2026-09-28. Those of other Regions differ.
// https://aws.amazon.com/s3/pricing/
const (
	priceList      = "S3's price list for us-east-1 of 2026-09-28"
	perJob         = Dollars(250_000)
	perOperation   = Dollars(1)                                      // $1.00 for a million objects
	perPut         = Dollars(5)                                      // $0.005 for a thousand, into S3 Standard
	perMillionSeen = "$0.015 for each million objects in the bucket" // S3 looks at all of them to make the list
)

// maxVersions is how many objects a job can have.
// https://aws.amazon.com/blogs/storage/accelerating-amazon-s3-batch-operations-at-scale-with-on-demand-manifest-generation
const maxVersions = 20_000_000_000

// Cost is what a replay costs, as far as it is known before.
type Cost struct {
	Versions   int64 // that it reckons with; zero: the number is not known
	Bytes      int64 // of them; zero: not known
	Job        Dollars
	Operations Dollars // for the versions that the job works on
	Requests   Dollars // one PUT for each version; large ones need more, and each further destination as many again
	// Listing says that S3 lists what failed, which costs by the number of all objects in the bucket: not reckoned.
	Listing bool
}

// Estimate is what a replay costs. It asks nobody.
func Estimate(q incident.Replay) Cost {
	c := Cost{Versions: q.Versions, Bytes: q.Bytes, Job: perJob, Listing: !listable(q.Objects)}
	if !c.Listing {
		c.Versions, c.Bytes = int64(len(q.Objects)), 0
		for _, o := range q.Objects {
			c.Bytes += max(0, o.Size)
		}
	}
	c.Versions = min(max(0, c.Versions), maxVersions)
	c.Bytes = max(0, c.Bytes)
	c.Operations, c.Requests = perOperation*Dollars(c.Versions), perPut*Dollars(c.Versions)
	return c
}

// Total is the least that it costs.
func (c Cost) Total() Dollars { return c.Job + c.Operations + c.Requests }

// String says what it costs, by which prices, and what is not in it.
func (c Cost) String() string {
	var b strings.Builder
	if c.Versions == 0 {
		fmt.Fprintf(&b, "at least %s: %s for the job, and for a million objects %s and their PUTs %s",
			c.Total(), c.Job, perOperation*1_000_000, perPut*1_000_000)
	} else {
		fmt.Fprintf(&b, "about %s: %s for the job, %s for the objects (%d), %s for their PUTs",
			c.Total(), c.Job, c.Operations, c.Versions, c.Requests)
	}
	fmt.Fprintf(&b, " (%s); not in it: ", priceList)
	if c.Listing {
		b.WriteString("the list of what failed, " + perMillionSeen + "; ")
	}
	if c.Bytes > 0 {
		fmt.Fprintf(&b, "transfer of %s to another Region; ", size(c.Bytes))
	} else {
		b.WriteString("transfer to another Region; ")
	}
	b.WriteString("requests to KMS; storage of the replicas")
	return b.String()
}

// size is a number of bytes as AWS bills them.
func size(bytes int64) string {
	const gb = 1 << 30
	if bytes < gb/10 {
		return "less than 0.1 GB"
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/gb)
}
