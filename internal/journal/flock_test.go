//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
)

// TestWaitingForAnotherCommandEnds: a command that hangs while it has the file keeps nobody waiting for longer than they want to.
func TestWaitingForAnotherCommandEnds(t *testing.T) {
	t.Parallel()
	f := file(t)
	if _, err := f.Open(t.Context(), opened(0)); err != nil {
		t.Fatal(err)
	}
	guard, err := os.Open(f.Path + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer guard.Close()
	if err := syscall.Flock(int(guard.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Lock(ctx, "a", []string{"b"}) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("waited and got %v", err)
	}
	guard.Close()
	if err := f.Lock(t.Context(), "a", []string{"b"}); err != nil {
		t.Errorf("once it is free: %v", err)
	}
}
