package journal_test

import (
	"bytes"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

func TestFile(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, 20, func(t *testing.T, c *journaltest.Clock) journaltest.Subject {
		f := &journal.File{Path: filepath.Join(t.TempDir(), "replimend", "journal.json"), Now: c.Now}
		return journaltest.Subject{Journal: f, Answers: f}
	})
}

// oneByOne sends one request at a time. DynamoDB's conditional writes and transactions are atomic; moto looks first and writes
// then, and puts back the whole table when a transaction fails.
type oneByOne struct {
	mu   *sync.Mutex
	next aws.HTTPClient
	saw  func(operation, body string) // before each request; may be nil
}

func (o oneByOne) Do(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.saw != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		o.saw(operation, string(body))
	}
	return o.next.Do(r)
}

// config is of an account of its own when none is given.
func config(t *testing.T, s *mototest.Server, account string, saw func(operation, body string)) aws.Config {
	t.Helper()
	if account == "" {
		account = s.Account()
	}
	cfg := s.Config(t, account, "eu-west-1")
	cfg.HTTPClient = oneByOne{&sync.Mutex{}, cfg.HTTPClient, saw}
	return cfg
}

func client(t *testing.T, s *mototest.Server) *dynamodb.Client {
	t.Helper()
	return dynamodb.NewFromConfig(config(t, s, "", nil))
}

// tables makes both tables as they are to be.
func tables(t *testing.T, c *dynamodb.Client, clock *journaltest.Clock) (*journal.Table, *journal.ApprovalTable) {
	t.Helper()
	for _, in := range []*dynamodb.CreateTableInput{journal.Shape("record"), journal.ApprovalShape("approvals")} {
		if _, err := c.CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	return &journal.Table{Client: c, Name: "record", Now: clock.Now}, &journal.ApprovalTable{Client: c, Name: "approvals", Now: clock.Now}
}

func TestTable(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	journaltest.Run(t, 10, func(t *testing.T, c *journaltest.Clock) journaltest.Subject {
		table, approvals := tables(t, client(t, s), c)
		return journaltest.Subject{Journal: table, Answers: approvals}
	})
}

func TestNoticesInMemory(t *testing.T) {
	t.Parallel()
	journaltest.RunNotices(t, 20, func(_ *testing.T, c *journaltest.Clock) journaltest.Notices {
		return &journaltest.MemoryNotices{Clock: c}
	})
}

func TestNoticeTable(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	journaltest.RunNotices(t, 10, func(t *testing.T, c *journaltest.Clock) journaltest.Notices {
		table, _ := tables(t, client(t, s), c)
		return &journal.NoticeTable{Client: table.Client, Name: table.Name, Now: c.Now}
	})
}
