package deployed

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replimend/replimend/internal/awsconfig"
)

// Start reads a function's configuration, whole, and makes the function. With any fault it logs all of them at once and ends the
// process: a function that is half configured must not take messages.
func Start[F any](ctx context.Context, read func(Environment) (Config, error), build func(Config, aws.Config, *slog.Logger) F) F {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	env, err := Process()
	var c Config
	if err == nil {
		c, err = read(env)
	}
	var cfg aws.Config
	if err == nil {
		cfg, err = awsconfig.Environment(env.Get)
	}
	if err != nil {
		log.ErrorContext(ctx, "configuration", "faults", strings.Split(err.Error(), "\n"))
		os.Exit(1)
	}
	return build(c, cfg, log)
}
