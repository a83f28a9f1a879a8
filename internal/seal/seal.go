// Package seal makes and verifies the seals of approvals, as package journal wants them. It is apart from it because whoever keeps or reads
// incidents alone does without the client of KMS.
package seal

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/replimend/replimend/internal/incident"
)

// minSecret is as long as what SHA-256 gives: a shorter key weakens the seal.
// https://www.rfc-editor.org/rfc/rfc2104#section-3
const minSecret = sha256.Size

// Secret seals with HMAC-SHA256. Who can verify can seal, too: where that is one role too many, use KMS.
//
// It prints as ***, however it is printed. The key is held by a function, so that nothing that looks into values finds it.
type Secret struct{ mac func(message []byte) []byte }

// NewSecret takes a key of at least 32 bytes.
func NewSecret(key []byte) (Secret, error) {
	if len(key) < minSecret {
		return Secret{}, fmt.Errorf("read secret: %d bytes are too few, it needs %d", len(key), minSecret)
	}
	key = append([]byte(nil), key...)
	return Secret{func(message []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(message)
		return h.Sum(nil)
	}}, nil
}

const hidden = "***"

// String is ***.
func (Secret) String() string { return hidden }

// GoString is ***.
func (Secret) GoString() string { return hidden }

// MarshalText is ***, which is also its JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

var errNoSecret = errors.New("there is no secret")

// Seal is the MAC of a message.
func (s Secret) Seal(_ context.Context, message []byte) ([]byte, error) {
	if s.mac == nil {
		return nil, errNoSecret
	}
	return s.mac(message), nil
}

// Verify compares in a time that does not tell how much of the seal is right.
func (s Secret) Verify(_ context.Context, message, mac []byte) error {
	if s.mac == nil {
		return errNoSecret
	}
	if !hmac.Equal(s.mac(message), mac) {
		return incident.ErrForged
	}
	return nil
}

// KMS seals with an HMAC key that never leaves KMS: a role can be allowed to verify and not to seal. The key has spec HMAC_256.
// https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html
type KMS struct {
	Client *kms.Client
	Key    string // its ID or ARN
}

// SealNeeds is the IAM action on the key that Seal needs.
func SealNeeds() []string { return []string{"kms:GenerateMac"} }

// VerifyNeeds is the IAM action on the key that Verify needs.
func VerifyNeeds() []string { return []string{"kms:VerifyMac"} }

// Seal is the MAC of a message.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
func (k KMS) Seal(ctx context.Context, message []byte) ([]byte, error) {
	sum := sha256.Sum256(message) // KMS takes at most 4,096 bytes
	out, err := k.Client.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId: aws.String(k.Key), MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: sum[:],
	})
	if err != nil {
		return nil, err
	}
	return out.Mac, nil
}

// Verify has KMS compare.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html
func (k KMS) Verify(ctx context.Context, message, mac []byte) error {
	if len(mac) == 0 {
		return incident.ErrForged // which KMS refuses to look at
	}
	sum := sha256.Sum256(message)
	out, err := k.Client.VerifyMac(ctx, &kms.VerifyMacInput{
		KeyId: aws.String(k.Key), MacAlgorithm: types.MacAlgorithmSpecHmacSha256, Message: sum[:], Mac: mac,
	})
	var invalid *types.KMSInvalidMacException
	switch {
	case errors.As(err, &invalid) || err == nil && !out.MacValid:
		return incident.ErrForged
	case err != nil:
		return fmt.Errorf("verify the seal: %w", err)
	}
	return nil
}
