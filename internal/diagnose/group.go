package diagnose

// Group is what a cause concerns, for lists that people read.
type Group string

// The groups, in the order of the lists.
const (
	OfTheRole         Group = "Replication role"
	OfBuckets         Group = "Buckets and their policies"
	OfKeys            Group = "Keys and their policies"
	OfConditions      Group = "Statements of any policy"
	OfTheOrganization Group = "Organization and permissions boundary"
	OfRules           Group = "Replication rules"
	OfReplicas        Group = "What becomes of replicas"
	OfNotice          Group = "Who hears of failures"
	OfObjects         Group = "Single objects"
	OfReports         Group = "Events and reports of S3"
	OfWhatIsUnread    Group = "What was not read"
	OfAccesses        Group = "Access to a bucket"
)

// Groups is all of them in order.
func Groups() []Group {
	return []Group{
		OfTheRole, OfBuckets, OfKeys, OfConditions, OfTheOrganization, OfRules, OfReplicas, OfNotice, OfObjects, OfReports, OfWhatIsUnread, OfAccesses,
	}
}
