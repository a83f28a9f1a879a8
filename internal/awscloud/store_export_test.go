package awscloud

import (
	"context"
	"time"
)

// Waits makes the writer call that function in place of waiting.
func (w *Writer) Waits(wait func(context.Context, time.Duration) error) { w.wait = wait }
