package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/journal"
)

// newTables makes the tables of incidents and of approvals, as package journal says that they are.
func newTables(stack awscdk.Stack) (incidents, approvals awsdynamodb.CfnTable) {
	return newTable(stack, journal.Shape(grants.IncidentTable)), newTable(stack, journal.ApprovalShape(grants.ApprovalTable))
}

// newTable makes a table that outlives the stack: it has what was changed, and what stood there before.
func newTable(stack awscdk.Stack, in *dynamodb.CreateTableInput) awsdynamodb.CfnTable {
	props := &awsdynamodb.CfnTableProps{
		TableName: in.TableName, BillingMode: jsii.String(string(in.BillingMode)), KeySchema: keySchema(in.KeySchema),
		DeletionProtectionEnabled: true,
		PointInTimeRecoverySpecification: &awsdynamodb.CfnTable_PointInTimeRecoverySpecificationProperty{
			PointInTimeRecoveryEnabled: true,
		},
		TimeToLiveSpecification: &awsdynamodb.CfnTable_TimeToLiveSpecificationProperty{
			AttributeName: jsii.String(journal.TTLAttribute), Enabled: true,
		},
	}
	var attributes []any
	for _, a := range in.AttributeDefinitions {
		attributes = append(attributes, &awsdynamodb.CfnTable_AttributeDefinitionProperty{
			AttributeName: a.AttributeName, AttributeType: jsii.String(string(a.AttributeType)),
		})
	}
	props.AttributeDefinitions = attributes
	var indexes []any
	for _, x := range in.GlobalSecondaryIndexes {
		indexes = append(indexes, &awsdynamodb.CfnTable_GlobalSecondaryIndexProperty{
			IndexName: x.IndexName, KeySchema: keySchema(x.KeySchema),
			Projection: &awsdynamodb.CfnTable_ProjectionProperty{
				ProjectionType: jsii.String(string(x.Projection.ProjectionType)), NonKeyAttributes: texts(x.Projection.NonKeyAttributes...),
			},
		})
	}
	if len(indexes) > 0 {
		props.GlobalSecondaryIndexes = indexes
	}
	t := awsdynamodb.NewCfnTable(stack, jsii.String(logical(aws.ToString(in.TableName), "Table")), props)
	t.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	return t
}

func keySchema(in []types.KeySchemaElement) []any {
	var out []any
	for _, k := range in {
		out = append(out, &awsdynamodb.CfnTable_KeySchemaProperty{
			AttributeName: k.AttributeName, KeyType: jsii.String(string(k.KeyType)),
		})
	}
	return out
}
