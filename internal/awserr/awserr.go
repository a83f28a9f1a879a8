// Package awserr classifies what AWS answers by the code of the error, never by its text: texts are for people, and change.
//
// Every edge asks it and nobody else holds a list of codes. It knows the codes alone, not the SDK that carries them.
package awserr

import (
	"errors"
	"net/url"
)

// Class is what an error means for whoever made the call.
type Class uint8

// The classes.
const (
	Other       Class = iota // no error of AWS, or one that is none of the others
	Absent                   // what was asked for does not exist
	Denied                   // the caller may not
	Throttled                // too many requests: later it may work
	WrongRegion              // the bucket is in another Region than was asked
	Malformed                // AWS does not take the document as it is
	TooLarge                 // AWS does not take a document of that size, or no more of its kind
	Conflict                 // something else changes the same thing now, or has done so
	Unavailable              // the service failed: later it may work
)

var classNames = [...]string{"other", "absent", "denied", "throttled", "wrong region", "malformed", "too large", "conflict", "unavailable"}

// String is the class in words.
func (c Class) String() string { return classNames[c] }

// NoBucketPolicy is the code of S3 for a bucket that is there and has no policy. Of the class Absent is also a bucket that is not.
const NoBucketPolicy = "NoSuchBucketPolicy"

// NoParameter is the code of SSM for a parameter that does not exist. What reads a switch takes no other code for that.
const NoParameter = "ParameterNotFound"

// classes is every code that an edge depends on.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-batch-operations.html
var classes = map[string]Class{
	"NoSuchBucket":                          Absent,
	NoBucketPolicy:                          Absent,
	"NoSuchConfiguration":                   Absent,
	"NoSuchEntity":                          Absent,
	"NoSuchEntityException":                 Absent,
	"NoSuchJobException":                    Absent,
	"NoSuchKey":                             Absent,
	"NoSuchPublicAccessBlockConfiguration":  Absent,
	"NoSuchTagSet":                          Absent,
	"NoSuchTagSetError":                     Absent,
	"NoSuchVersion":                         Absent,
	"NotFound":                              Absent,
	"NotFoundException":                     Absent,
	"ObjectLockConfigurationNotFoundError":  Absent,
	"OwnershipControlsNotFoundError":        Absent,
	NoParameter:                             Absent,
	"ReplicationConfigurationNotFoundError": Absent,
	"ResourceNotFoundException":             Absent,
	"ServerSideEncryptionConfigurationNotFoundError": Absent,
	"TrailNotFoundException":                         Absent,
	"AWSOrganizationsNotInUseException":              Absent,

	"AccessDenied":                Denied,
	"AccessDeniedException":       Denied,
	"AllAccessDisabled":           Denied,
	"ExpiredToken":                Denied,
	"ExpiredTokenException":       Denied,
	"Forbidden":                   Denied,
	"InvalidAccessKeyId":          Denied,
	"InvalidClientTokenId":        Denied,
	"NotAuthorized":               Denied,
	"SignatureDoesNotMatch":       Denied,
	"UnmodifiableEntity":          Denied,
	"UnauthorizedOperation":       Denied,
	"UnrecognizedClientException": Denied,

	"BandwidthLimitExceeded":                 Throttled,
	"EC2ThrottledException":                  Throttled,
	"LimitExceededException":                 TooLarge, // KMS's; its throttling has a code of its own
	"PriorRequestNotComplete":                Throttled,
	"ProvisionedThroughputExceededException": Throttled,
	"RequestLimitExceeded":                   Throttled,
	"RequestThrottled":                       Throttled,
	"RequestThrottledException":              Throttled,
	"SlowDown":                               Throttled,
	"SlowDownError":                          Throttled,
	"ThrottledException":                     Throttled,
	"Throttling":                             Throttled,
	"ThrottlingException":                    Throttled,
	"TooManyRequestsException":               Throttled,
	"ThrottlingError":                        Throttled, // of one action of a transaction
	"ProvisionedThroughputExceeded":          Throttled, // likewise
	"TransactionInProgressException":         Throttled,

	"AuthorizationHeaderMalformed":       WrongRegion,
	"IllegalLocationConstraintException": WrongRegion,
	"MovedPermanently":                   WrongRegion,
	"PermanentRedirect":                  WrongRegion,
	"TemporaryRedirect":                  WrongRegion,

	"BadRequestException":              Malformed,
	"InvalidArgument":                  Malformed,
	"InvalidPolicyDocument":            Malformed,
	"InvalidRequest":                   Malformed,
	"InvalidRequestException":          Malformed,
	"InvalidTag":                       Malformed,
	"MalformedPolicy":                  Malformed,
	"MalformedPolicyDocument":          Malformed,
	"MalformedPolicyDocumentException": Malformed,
	"MalformedXML":                     Malformed,
	"ValidationError":                  Malformed,
	"ValidationException":              Malformed,

	"EntityTooLarge":          TooLarge,
	"LimitExceeded":           TooLarge,
	"PackedPolicyTooLarge":    TooLarge,
	"PolicySizeLimitExceeded": TooLarge,
	"PolicyTooLarge":          TooLarge,

	"ConcurrentModification":          Conflict,
	"ConditionalRequestConflict":      Conflict, // of a write that something else conflicts with now
	"ConcurrentModificationException": Conflict,
	"ConditionalCheckFailed":          Conflict, // of one action of a transaction
	"ConditionalCheckFailedException": Conflict,
	"IdempotencyException":            Conflict,
	"KMSInvalidStateException":        Conflict, // such as of a key that is to be deleted
	"OperationAborted":                Conflict,
	"PreconditionFailed":              Conflict, // of a write that is to be the first
	"TransactionConflict":             Conflict, // of one action of a transaction
	"TransactionConflictException":    Conflict,
	"ConflictException":               Conflict,

	"InternalError":               Unavailable,
	"InternalFailure":             Unavailable,
	"InternalServerError":         Unavailable,
	"InternalServiceException":    Unavailable,
	"KMSInternalException":        Unavailable,
	"DependencyTimeoutException":  Unavailable,
	"KeyUnavailableException":     Unavailable,
	"ServiceFailure":              Unavailable,
	"ServiceFailureException":     Unavailable,
	"ServiceUnavailable":          Unavailable,
	"ServiceUnavailableException": Unavailable,
}

// Code is the code of the first error of AWS in the chain, "" when there is none.
func Code(err error) string {
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return coded.ErrorCode()
	}
	return ""
}

// WithoutAddress is an error without the address that was asked, where there was no answer: the key of an object stands in it.
func WithoutAddress(err error) error {
	var unanswered *url.Error
	if errors.As(err, &unanswered) {
		return unanswered.Err
	}
	return err
}

// NoBucket says that it is the bucket that does not exist, and not something of it. S3 answers so to whatever is asked of the bucket.
func NoBucket(err error) bool { return Code(err) == "NoSuchBucket" }

// Refused says that AWS answered, and did nothing of what it was asked. Of an error that is not known it does not say so.
func Refused(err error) bool { return err != nil && !Is(err, Other, Unavailable) }

// OfCode is the class of a code that came by itself, such as the reason for which a transaction was cancelled.
func OfCode(code string) Class { return classes[code] }

// Of is the class of an error.
func Of(err error) Class { return classes[Code(err)] }

// Is says whether an error is of one of the classes.
func Is(err error, any ...Class) bool {
	if err == nil {
		return false
	}
	of := Of(err)
	for _, c := range any {
		if c == of {
			return true
		}
	}
	return false
}

// Final parts what AWS answered for good, a refusal or that nothing is there, from what another attempt may change: the code of
// the one, or the other as an error.
func Final(err error) (code string, other error) {
	if Is(err, Denied, Absent) {
		return Code(err), nil
	}
	return "", err
}
