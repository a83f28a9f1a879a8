package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replimend/replimend/internal/awserr"
)

// Table keeps the record in one DynamoDB table.
//
//	pk                   sk                          what
//	route#DIGEST         incident#OPENED#ID          an incident without its documents
//	route#DIGEST         open                        which of them is not over
//	incident#ID          route                       where the incident is
//	incident#ID          document#SHA256             a document that was written, or stood there before
//	patch                AT#ACCOUNT#ID               a cure that wrote in an account
//	lock#DIGEST          lock                        who holds a document
//	suppression          DIGEST#DIGEST               why a route, or a cause of it, is silent
//
// What belongs together is written in one transaction whose conditions say what it was decided on. Every decision hangs on
// consistent reads; the index is for lists alone.
type Table struct {
	Client *dynamodb.Client
	Name   string
	// Keep is how long an incident is kept once it is over; zero: DefaultKeep.
	Keep time.Duration
	Now  func() time.Time
}

// DefaultKeep is longer than a year: an audit looks back that far.
const DefaultKeep = 400 * 24 * time.Hour

// The names that whoever makes the tables needs. TTL has to be switched on for that attribute.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
const (
	TTLAttribute = "expires"
	Index        = "newest" // of incidents in lists
)

// Shape is the table as it is made, but for time to live, which is switched on afterwards.
func Shape(name string) *dynamodb.CreateTableInput {
	in := ApprovalShape(name)
	in.AttributeDefinitions = append(in.AttributeDefinitions,
		types.AttributeDefinition{AttributeName: aws.String("shelf"), AttributeType: types.ScalarAttributeTypeS},
		types.AttributeDefinition{AttributeName: aws.String("rank"), AttributeType: types.ScalarAttributeTypeS},
	)
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
		IndexName: aws.String(Index),
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("shelf"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("rank"), KeyType: types.KeyTypeRange},
		},
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"summary", TTLAttribute}},
	}}
	return in
}

// ApprovalShape is the table of approvals as it is made.
func ApprovalShape(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	}
}

// Needs is the IAM actions that a Table needs on its table, and for Query also on the index. A transaction needs those of its
// parts.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
func Needs() []string {
	return []string{"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}
}

// OpenNeeds is the IAM actions that Open needs, and reading what is open: on the table, for Query also on the index. Whoever opens and
// joins incidents removes nothing.
func OpenNeeds() []string {
	return []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}
}

// GetNeeds is the IAM actions that Get needs on the table: those of somebody who reads incidents by their IDs and nothing else.
func GetNeeds() []string { return []string{"dynamodb:BatchGetItem", "dynamodb:GetItem"} }

// ListNeeds is the IAM actions that List and Silences need, on the table and on the index.
func ListNeeds() []string { return []string{"dynamodb:Query"} }

// SuppressNeeds is the IAM actions that Suppress needs on the table, in the partition SuppressionPartition.
func SuppressNeeds() []string { return []string{"dynamodb:PutItem"} }

// LiftNeeds is the IAM actions that Lift needs on the table, in the partition SuppressionPartition.
func LiftNeeds() []string { return []string{"dynamodb:DeleteItem"} }

// key is the primary key of a row.
type key struct {
	PK string `dynamodbav:"pk"`
	SK string `dynamodbav:"sk"`
}

// attributes is the key as DynamoDB wants it.
func (k key) attributes() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: k.PK}, "sk": &types.AttributeValueMemberS{Value: k.SK},
	}
}

// digest stands for texts that are too long for a key or hold what separates its parts.
func digest(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%d:%s,", len(p), p)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// stamp is a time as text that sorts as times do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// moment reads a stamp.
func moment(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }

// errMoved says that what was read first does not fit what was read then: somebody was faster.
var errMoved = errors.New("the record changed while it was read")

// contended says that others came in the way, so that to try again may help. Of a transaction the reason of every action is looked
// at. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
func contended(err error) bool {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return errors.Is(err, errMoved) || awserr.Is(err, awserr.Conflict, awserr.Throttled)
	}
	for _, r := range cancelled.CancellationReasons {
		switch code := aws.ToString(r.Code); awserr.OfCode(code) {
		case awserr.Conflict, awserr.Throttled:
		default:
			if code != "" && code != "None" {
				return false
			}
		}
	}
	return true
}

// get reads one row, consistently.
func get[Row any](ctx context.Context, c *dynamodb.Client, table string, k key) (row Row, ok bool, err error) {
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(table), Key: k.attributes(), ConsistentRead: aws.Bool(true),
	})
	if err != nil || out.Item == nil {
		return row, false, err
	}
	return row, true, attributevalue.UnmarshalMap(out.Item, &row)
}

// query reads rows in the order of the query or against it, until take wants no more. It reads consistently, but from an index.
func query[Row any](
	ctx context.Context, c *dynamodb.Client, in *dynamodb.QueryInput, where expression.KeyConditionBuilder, take func(Row) (bool, error),
) error {
	e, err := expression.NewBuilder().WithKeyCondition(where).Build()
	if err != nil {
		return err
	}
	in.KeyConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.KeyCondition(), e.Names(), e.Values()
	in.ConsistentRead = aws.Bool(in.IndexName == nil)
	for pages := dynamodb.NewQueryPaginator(c, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			var row Row
			if err := attributevalue.UnmarshalMap(item, &row); err != nil {
				return err
			}
			if more, err := take(row); err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// The conditions of writes.
var (
	always = expression.ConditionBuilder{}
	absent = expression.AttributeNotExists(expression.Name("pk"))
)

// is says that an attribute has that value.
func is(attribute string, value any) expression.ConditionBuilder {
	return expression.Name(attribute).Equal(expression.Value(value))
}

// put writes one row if the condition holds.
func put(ctx context.Context, c *dynamodb.Client, table string, row any, when expression.ConditionBuilder) error {
	w, err := putOf(table, row, when)
	if err != nil {
		return err
	}
	_, err = c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: w.TableName, Item: w.Item, ConditionExpression: w.ConditionExpression,
		ExpressionAttributeNames: w.ExpressionAttributeNames, ExpressionAttributeValues: w.ExpressionAttributeValues,
	})
	return err
}

func putOf(table string, row any, when expression.ConditionBuilder) (*types.Put, error) {
	item, err := attributevalue.MarshalMap(row)
	if err != nil {
		return nil, err
	}
	out := &types.Put{TableName: aws.String(table), Item: item}
	if when.IsSet() {
		e, err := expression.NewBuilder().WithCondition(when).Build()
		if err != nil {
			return nil, err
		}
		out.ConditionExpression, out.ExpressionAttributeNames, out.ExpressionAttributeValues = e.Condition(), e.Names(), e.Values()
	}
	return out, nil
}

// remove deletes one row if the condition holds.
func remove(ctx context.Context, c *dynamodb.Client, table string, k key, when expression.ConditionBuilder) error {
	in := &dynamodb.DeleteItemInput{TableName: aws.String(table), Key: k.attributes()}
	if when.IsSet() {
		e, err := expression.NewBuilder().WithCondition(when).Build()
		if err != nil {
			return err
		}
		in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues = e.Condition(), e.Names(), e.Values()
	}
	_, err := c.DeleteItem(ctx, in)
	return err
}

// transaction is writes of which all are made or none.
type transaction struct {
	table string
	items []types.TransactWriteItem
	err   error
}

func (x *transaction) put(row any, when expression.ConditionBuilder) {
	w, err := putOf(x.table, row, when)
	x.err = errors.Join(x.err, err)
	x.items = append(x.items, types.TransactWriteItem{Put: w})
}

func (x *transaction) remove(k key) {
	x.items = append(x.items, types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String(x.table), Key: k.attributes()}})
}

// maxWrites is how many rows a transaction has at most.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const maxWrites = 100

// do makes the writes. The SDK sends a token with them, so that a request that it repeats is made once.
func (x *transaction) do(ctx context.Context, c *dynamodb.Client) error {
	if x.err != nil {
		return x.err
	}
	if len(x.items) > maxWrites {
		return fmt.Errorf("%d rows are more than one transaction writes", len(x.items))
	}
	_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: x.items})
	return err
}
