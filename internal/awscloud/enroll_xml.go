package awscloud

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxConfiguration bounds the XML of a bucket's configuration, in bytes. A replication configuration may have 2 MB.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
const maxConfiguration = 2 << 20

// keepBody keeps what S3 sends, before the SDK reads from it what it knows.
func keepBody(to *[]byte) func(*s3.Options) {
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("KeepBody", func(
			ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
		) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			response, ok := out.RawResponse.(*smithyhttp.Response)
			if err != nil || !ok {
				return out, metadata, err
			}
			body, err := io.ReadAll(io.LimitReader(response.Body, maxConfiguration+1))
			response.Body.Close()
			if err != nil {
				return out, metadata, fmt.Errorf("read the answer: %w", err)
			}
			if len(body) > maxConfiguration {
				return out, metadata, fmt.Errorf("the answer has more than %d bytes", maxConfiguration)
			}
			*to, response.Body = body, io.NopCloser(bytes.NewReader(body))
			return out, metadata, nil
		}), middleware.After) // next to the wire
	})
}

// errSerialised ends a call that is not to be made.
var errSerialised = errors.New("serialised, not sent")

// onlySerialise keeps what the SDK would send, and sends nothing: the call fails with errSerialised.
func onlySerialise(to *[]byte) func(*s3.Options) {
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("OnlySerialise", func(
			_ context.Context, in middleware.SerializeInput, _ middleware.SerializeHandler,
		) (out middleware.SerializeOutput, metadata middleware.Metadata, err error) {
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return out, metadata, fmt.Errorf("unknown transport %T", in.Request)
			}
			if *to, err = io.ReadAll(request.GetStream()); err != nil {
				return out, metadata, err
			}
			return out, metadata, errSerialised
		}), middleware.After) // behind the operation's own serialiser
	})
}

// lostElements is what the first XML document says and the second does not: paths of elements below the root, sorted, each once.
// What has elements within counts by them, else by its text; order and attributes do not count.
func lostElements(from, to []byte) ([]string, error) {
	left, err := leaves(to)
	if err != nil {
		return nil, err
	}
	all, err := leaves(from)
	if err != nil {
		return nil, err
	}
	var lost []string
	for leaf, n := range all {
		if n > left[leaf] {
			lost = append(lost, leaf.path)
		}
	}
	slices.Sort(lost)
	return slices.Compact(lost), nil
}

// leaf is an element without elements within.
type leaf struct{ path, text string }

// leaves counts the leaves of an XML document.
func leaves(text []byte) (map[leaf]int, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	out := make(map[leaf]int)
	var path []string
	var chars strings.Builder
	inner := false // whether the element that ends now is a leaf
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			path, inner = append(path, t.Name.Local), true
			chars.Reset()
		case xml.CharData:
			chars.Write(t)
		case xml.EndElement:
			if inner && len(path) > 1 {
				out[leaf{strings.Join(path[1:], "/"), strings.TrimSpace(chars.String())}]++
			}
			path, inner = path[:len(path)-1], false
		}
	}
}
