package awscloud_test

import (
	"testing"
	"time"

	"github.com/replimend/replimend/internal/awscloud"
)

// BenchmarkRoute reads a cross-account KMS route with 20 ms per call, first entering both accounts. The time is mostly waiting.
func BenchmarkRoute(b *testing.B) {
	for name, approved := range map[string]bool{"approved": true, "unknown": false} {
		b.Run(name, func(b *testing.B) {
			c, routes := network(1, 1, 2)
			o := awscloud.ReadOptions{Region: sourceRegion}
			if approved {
				o.Approved = routes
			}
			made := 0
			for b.Loop() {
				r := awscloud.NewReader(awscloud.NewAccounts(c.access(nil, members()...)), o)
				if _, err := r.Snapshot(b.Context(), "source-0", nil); err != nil {
					b.Fatal(err)
				}
				made = calls(r)
			}
			b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/route")
			b.ReportMetric(float64(made), "calls/route")
		})
	}
}

// BenchmarkSurvey reads a thousand routes that share 50 roles and 100 keys, with 20 ms per call. Without approved routes the
// destinations are those of the rules, and what an account replicates was listed before.
func BenchmarkSurvey(b *testing.B) {
	const routes = 1000
	for name, approved := range map[string]bool{"approved": true, "listed": false} {
		b.Run(name, func(b *testing.B) {
			c, known := network(routes, 50, 100)
			o := awscloud.ReadOptions{Region: sourceRegion}
			if approved {
				o.Approved = known
			}
			made := 0
			for b.Loop() {
				r := awscloud.NewReader(awscloud.NewAccounts(c.access(both)), o)
				if !approved {
					if _, _, err := r.Replicating(b.Context(), sourceAccount); err != nil {
						b.Fatal(err)
					}
				}
				s, err := r.Survey(b.Context(), sources(known))
				if err != nil || len(s.Unreadable) > 0 || len(s.Roles) != 50 || len(s.Keys) != 100 {
					b.Fatalf("%d roles, %d keys, unreadable %v: %v", len(s.Roles), len(s.Keys), s.Unreadable, err)
				}
				made = calls(r)
			}
			b.ReportMetric(float64(made)/routes, "calls/route")
			b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N)/routes, "ms/route")
		})
	}
}
