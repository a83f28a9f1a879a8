package diagnose

// sourceKeyNotUsable: objects under a key that is not Enabled can be read by nobody.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
var sourceKeyNotUsable = Cause{
	Name:    "source-key-not-usable",
	Summary: "the source objects' key is gone, disabled, pending deletion, or no symmetric encryption key",
	Verdict: Broken,
	Inspect: func(e *examination) []Finding {
		p, ok := e.kmsPopulation()
		if !ok {
			return nil
		}
		return e.keyState("source-key-not-usable", SourceSide, p.Key, "decrypt source objects")
	},
}
