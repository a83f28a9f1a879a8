package template

// The shapes of both sources, each beside the shape of the S3 API that it becomes.

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-replicationconfiguration.html
var cfnReplication = []member{
	{"Role", "Role", aText, nil},
	{"Rules", "Rules", many, []member{
		{"Id", "ID", aText, nil},
		{"Priority", "Priority", aNumber, nil},
		{"Status", "Status", aText, nil},
		{"Prefix", "Prefix", aText, nil},
		{"Filter", "Filter", one, []member{
			{"Prefix", "Prefix", aText, nil},
			{"TagFilter", "Tag", one, tagMembers},
			{"And", "And", one, []member{{"Prefix", "Prefix", aText, nil}, {"TagFilters", "Tags", many, tagMembers}}},
		}},
		{"DeleteMarkerReplication", "DeleteMarkerReplication", one, statusOnly},
		{"SourceSelectionCriteria", "SourceSelectionCriteria", one, []member{
			{"SseKmsEncryptedObjects", "SseKmsEncryptedObjects", one, statusOnly},
			{"ReplicaModifications", "ReplicaModifications", one, statusOnly},
		}},
		{"Destination", "Destination", one, []member{
			{"Bucket", "Bucket", aText, nil},
			{"Account", "Account", aText, nil},
			{"StorageClass", "StorageClass", aText, nil},
			{"AccessControlTranslation", "AccessControlTranslation", one, []member{{"Owner", "Owner", aText, nil}}},
			{"EncryptionConfiguration", "EncryptionConfiguration", one, []member{{"ReplicaKmsKeyID", "ReplicaKmsKeyID", aText, nil}}},
			{"ReplicationTime", "ReplicationTime", one, []member{{"Status", "Status", aText, nil}, {"Time", "Time", one, []member{{"Minutes", "Minutes", aNumber, nil}}}}},
			{"Metrics", "Metrics", one, []member{{"Status", "Status", aText, nil}, {"EventThreshold", "EventThreshold", one, []member{{"Minutes", "Minutes", aNumber, nil}}}}},
		}},
	}},
}

var (
	tagMembers = []member{{"Key", "Key", aText, nil}, {"Value", "Value", aText, nil}}
	statusOnly = []member{{"Status", "Status", aText, nil}}
)

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-serversideencryptionrule.html
var cfnEncryption = []member{{"ServerSideEncryptionConfiguration", "Rules", many, []member{
	{"ServerSideEncryptionByDefault", "ApplyServerSideEncryptionByDefault", one, []member{
		{"SSEAlgorithm", "SSEAlgorithm", aText, nil}, {"KMSMasterKeyID", "KMSMasterKeyID", aText, nil},
	}},
	{"BucketKeyEnabled", "BucketKeyEnabled", aFlag, nil},
	{"BlockedEncryptionTypes", "BlockedEncryptionTypes", one, []member{{"EncryptionType", "EncryptionType", texts, nil}}},
}}}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-publicaccessblockconfiguration.html
var publicAccess = []member{
	{"BlockPublicAcls", "BlockPublicAcls", aFlag, nil},
	{"IgnorePublicAcls", "IgnorePublicAcls", aFlag, nil},
	{"BlockPublicPolicy", "BlockPublicPolicy", aFlag, nil},
	{"RestrictPublicBuckets", "RestrictPublicBuckets", aFlag, nil},
}

// CloudFormation has one event in each configuration, the API a list.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-notificationconfiguration.html
var cfnNotifications = []member{
	{"TopicConfigurations", "TopicConfigurations", many, []member{{"Event", "Events", texts, nil}, {"Topic", "TopicArn", ignored, nil}}},
	{"QueueConfigurations", "QueueConfigurations", many, []member{{"Event", "Events", texts, nil}, {"Queue", "QueueArn", ignored, nil}}},
	{"LambdaConfigurations", "LambdaFunctionConfigurations", many, []member{{"Event", "Events", texts, nil}, {"Function", "LambdaFunctionArn", ignored, nil}}},
}

// apiNotifications is the API's own shape: the CDK hands it to a function that configures the bucket.
var apiNotifications = []member{
	{"TopicConfigurations", "TopicConfigurations", many, []member{{"Events", "Events", texts, nil}, {"TopicArn", "TopicArn", ignored, nil}}},
	{"QueueConfigurations", "QueueConfigurations", many, []member{{"Events", "Events", texts, nil}, {"QueueArn", "QueueArn", ignored, nil}}},
	{"LambdaFunctionConfigurations", "LambdaFunctionConfigurations", many, []member{{"Events", "Events", texts, nil}, {"LambdaFunctionArn", "LambdaFunctionArn", ignored, nil}}},
}

// tfReplication is aws_s3_bucket_replication_configuration; the inline form of aws_s3_bucket differs in places.
// https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_replication_configuration
var tfReplication = []member{
	{"role", "Role", aText, nil},
	{"rule", "Rules", many, []member{
		{"id", "ID", ignored, nil},
		{"priority", "Priority", aNumber, nil},
		{"status", "Status", aText, nil},
		{"prefix", "Prefix", aText, nil},
		{"filter", "Filter", one, []member{
			{"prefix", "Prefix", aText, nil},
			{"tag", "Tag", one, tfTag},
			{"and", "And", one, []member{{"prefix", "Prefix", aText, nil}, {"tags", "Tags", tagMap, nil}}},
		}},
		{"delete_marker_replication", "DeleteMarkerReplication", one, tfStatus},
		{"existing_object_replication", "ExistingObjectReplication", one, tfStatus},
		{"source_selection_criteria", "SourceSelectionCriteria", one, []member{
			{"sse_kms_encrypted_objects", "SseKmsEncryptedObjects", one, tfStatus},
			{"replica_modifications", "ReplicaModifications", one, tfStatus},
		}},
		{"destination", "Destination", one, []member{
			{"bucket", "Bucket", aText, nil},
			{"account", "Account", aText, nil},
			{"storage_class", "StorageClass", aText, nil},
			{"access_control_translation", "AccessControlTranslation", one, []member{{"owner", "Owner", aText, nil}}},
			{"encryption_configuration", "EncryptionConfiguration", one, []member{{"replica_kms_key_id", "ReplicaKmsKeyID", aText, nil}}},
			{"replication_time", "ReplicationTime", one, []member{{"status", "Status", aText, nil}, {"time", "Time", one, []member{{"minutes", "Minutes", aNumber, nil}}}}},
			{"metrics", "Metrics", one, []member{{"status", "Status", aText, nil}, {"event_threshold", "EventThreshold", one, []member{{"minutes", "Minutes", aNumber, nil}}}}},
		}},
	}},
}

var (
	tfTag    = []member{{"key", "Key", aText, nil}, {"value", "Value", aText, nil}}
	tfStatus = []member{{"status", "Status", aText, nil}}
)

// https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_server_side_encryption_configuration
var tfEncryption = []member{{"rule", "Rules", many, []member{
	{"apply_server_side_encryption_by_default", "ApplyServerSideEncryptionByDefault", one, []member{
		{"sse_algorithm", "SSEAlgorithm", aText, nil}, {"kms_master_key_id", "KMSMasterKeyID", aText, nil},
	}},
	{"bucket_key_enabled", "BucketKeyEnabled", aFlag, nil},
}}}

// https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_notification
var tfNotifications = []member{
	{"topic", "TopicConfigurations", many, []member{{"events", "Events", texts, nil}, {"topic_arn", "TopicArn", ignored, nil}}},
	{"queue", "QueueConfigurations", many, []member{{"events", "Events", texts, nil}, {"queue_arn", "QueueArn", ignored, nil}}},
	{"lambda_function", "LambdaFunctionConfigurations", many, []member{{"events", "Events", texts, nil}, {"lambda_function_arn", "LambdaFunctionArn", ignored, nil}}},
}

var tfPublicAccess = []member{
	{"block_public_acls", "BlockPublicAcls", aFlag, nil},
	{"ignore_public_acls", "IgnorePublicAcls", aFlag, nil},
	{"block_public_policy", "BlockPublicPolicy", aFlag, nil},
	{"restrict_public_buckets", "RestrictPublicBuckets", aFlag, nil},
}
