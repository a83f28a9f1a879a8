SHELL := bash
.DEFAULT_GOAL := help

FUZZTIME ?= 10s

# The name of a release is a tag of this repository. The ceiling keeps an unpacked archive from taking the version of a
# repository that happens to lie around it.
VERSION = $(shell GIT_CEILING_DIRECTORIES='$(abspath $(CURDIR)/..)' git describe --tags --dirty 2>/dev/null || echo devel)

# The race detector needs a C compiler. The go command sets CGO_ENABLED=0 where it finds none.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# The settings that are deployed. Without a file of one's own it is the example, so that everything can be made and looked at.
CONFIG ?= $(firstword $(wildcard replimend.yaml) docs/examples/replimend.yaml)

# Where templates and zips are made. A deployment beside another one has folders of its own.
ASSEMBLY ?= cdk.out
DIST     ?= dist

cdk = tools/cdk/node_modules/.bin/cdk

# Which stacks are deployed, compared or removed. Those that are named are taken alone, because what they depend on may be in an account
# for which the credentials at hand are not; the order is then that of docs/deploy.md.
STACKS ?=
stacks = $(if $(STACKS),--exclusively $(STACKS),--all) $(OPTIONS)

# More options of the CDK's command line. Stars in STACKS and ENVIRONMENTS are for it, and not for the shell.
OPTIONS ?=

# Each tool has a module of its own, so that nothing of it enters the product's dependencies.
gofumpt     = go tool -modfile=tools/gofumpt.mod gofumpt
staticcheck = go tool -modfile=tools/staticcheck.mod staticcheck
govulncheck = go tool -modfile=tools/govulncheck.mod govulncheck

.PHONY: help
help: ## Show the targets.
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-18s %s\n' "$$name" "$$text"; done

# Listing fetches the modules that are used, no more, and unlike go mod download it fails rather than complete go.sum.
.PHONY: setup
setup: .venv/installed $(cdk) qemu chromium ## Fetch what the tests need; make test does it itself.
	go list -deps -test ./... >/dev/null

# The functions are deployed for arm64 and answer under its emulator, of Debian's package qemu-user.
.PHONY: qemu
qemu:
	@set -eu; \
	if ! command -v qemu-aarch64 >/dev/null; then \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo 'setup: no qemu-aarch64, without which a test fails'; \
			echo 'hint: install qemu-user (sudo apt-get install qemu-user)'; \
		else \
			apt-get update -q >/dev/null; \
			DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends qemu-user >/dev/null; \
		fi; \
	fi

# Pages are looked at in Debian's chromium. Nothing that is deployed needs it.
.PHONY: chromium
chromium:
	@set -eu; \
	if ! command -v chromium >/dev/null; then \
		if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
			echo 'setup: no chromium, without which there are no pictures of pages'; \
			echo 'hint: install chromium (sudo apt-get install chromium)'; \
		else \
			apt-get update -q >/dev/null; \
			DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium >/dev/null; \
		fi; \
	fi

.PHONY: build
build: ## Build bin/replimend.
	go build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/replimend ./cmd/replimend

# The language of the messages and of the page that make demo shows: en or ja.
LANGUAGE ?= en

# The page of the healed route is a file of its own, and its picture what a browser makes of it. Without one there is no picture.
.PHONY: demo
demo: build ## Break and mend a replication in the built-in cloud, and show its page (SERVE=1: on localhost); needs no AWS account.
	bin/replimend rehearse --only cross-account-kms --show all --chat all --lang $(LANGUAGE) --pages '$(DIST)/demo'
	@$(MAKE) --no-print-directory chromium || echo 'demo: chromium could not be installed'
	@if command -v chromium >/dev/null; then \
		go run ./internal/shoot '$(DIST)/demo/cross-account-kms.html' '$(DIST)/demo/cross-account-kms.png'; \
	else \
		echo 'demo: no chromium, and so no picture of the page'; \
	fi
	$(if $(filter 1,$(SERVE)),bin/replimend rehearse --only cross-account-kms --show none --lang $(LANGUAGE) --serve)

.PHONY: live
live: setup ## Cure a route in two accounts of an emulator with the real program, and read the documents back with boto3.
	go test -count=1 -run TestLiveRouteIsCured -v ./cmd/replimend

# What the mutations of complete routes share between goroutines is a channel of numbers; for the rest they compute, for six times as long
# with the race detector as without.
without_race = internal/mutation

# The usual ten minutes of a package are for machines that do nothing else: the one with the emulator takes four on two idle cores.

.PHONY: test
test: setup build ## Build and run all tests, with the race detector where there is a C compiler.
	@$(if $(RACE),,echo 'no C compiler: testing without the race detector')
	go test $(RACE) -timeout 30m $$(go list ./... | grep -v '/$(without_race)$$')
	go test -timeout 30m ./$(without_race)
	@$(MAKE) --no-print-directory check-formats

# Each format of replimend plan is checked by the tool that its readers use, on what go test holds the code to. Terraform's and
# the shell's are part of go test. Code for the CDK is compiled in a copy, and so is the Go that the pages of docs/causes show: nothing
# runs, so that Node is not needed.
.PHONY: check-formats
check-formats: .venv/installed ## Check the code that plans are printed as with cfn-lint, the compiler and sh.
	.venv/bin/python tools/lint-cloudformation.py internal/iac/testdata/*/plan.yaml
	@set -euo pipefail; \
	copy=$$(mktemp -d); \
	trap 'rm -rf "$$copy"' EXIT; \
	cp go.mod go.sum "$$copy/"; \
	for plan in internal/iac/testdata/*/plan.go; do \
		name=$$(basename "$$(dirname "$$plan")"); \
		mkdir "$$copy/$$name"; \
		cp "$$plan" "$$copy/$$name/"; \
	done; \
	go run ./internal/causegen snippets docs/causes "$$copy/pages"; \
	echo "go vet ./... (in a copy)"; \
	cd "$$copy"; \
	go vet ./...
	@set -eu; for plan in internal/iac/testdata/*/plan.sh; do echo "sh -n $$plan"; sh -n "$$plan"; done

.venv/installed: tools/python.txt
	python3 -m venv --clear .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: mutate
mutate: ## Break complete routes in every way and hold the diagnosis against the lab; part of make test.
	go run ./internal/mutate

.PHONY: lint
lint: ## Check format, vet, staticcheck, layering and generated files.
	@set -euo pipefail; \
	echo 'gofumpt -l .'; \
	unformatted=$$($(gofumpt) -l .); \
	if [ -n "$$unformatted" ]; then \
		echo "$$unformatted"; \
		echo 'lint: files above are not formatted'; \
		echo 'hint: make format'; \
		exit 1; \
	fi
	go vet ./...
	$(staticcheck) ./...
	go test -count=1 ./internal/layering
	@$(MAKE) --no-print-directory check-generated

.PHONY: format
format: ## Format all Go files.
	$(gofumpt) -w .

# What a browser makes of a page depends on its version and on the fonts, so that pictures are not among the generated files. That they are
# of what is sent now is part of make test, which needs no browser.
BROWSER ?= chromium
.PHONY: pictures
pictures: build ## Draw the pictures of the documentation anew; needs Chromium, fonts-dejavu-core and fonts-noto-cjk.
	@command -v '$(BROWSER)' >/dev/null || { echo 'pictures: no $(BROWSER)'; echo 'hint: install it, or name yours with BROWSER=…'; exit 1; }
	go run ./internal/chatpictures '$(BROWSER)' internal/notify/testdata docs/images/chat
	bin/replimend rehearse --only cross-account-kms --show none --pages '$(DIST)/pictures'
	go run ./internal/shoot --width 1000 --most 1000 '$(DIST)/pictures/cross-account-kms.html' docs/images/incident-page.png
	go run ./internal/shoot --width 360 --most 990 --scale 1.5 --dark '$(DIST)/pictures/cross-account-kms.html' docs/images/incident-page-phone.png

.PHONY: generate
generate: ## Write the generated files anew.
	go generate ./...

# Generating in a copy leaves the work tree alone and compares it as it is, committed or not. All files are compared, wherever
# a generator may write.
.PHONY: check-generated
check-generated: ## Check that the generated files are current.
	@set -euo pipefail; \
	echo 'go generate ./... (in a copy)'; \
	copy=$$(mktemp -d); \
	trap 'rm -rf "$$copy"' EXIT; \
	mkdir "$$copy/now" "$$copy/new"; \
	tar -cf "$$copy/tree.tar" --exclude=./.git --exclude=./bin --exclude=./dist --exclude=./cdk.out \
		--exclude=node_modules --exclude=.venv .; \
	tar -xf "$$copy/tree.tar" -C "$$copy/now"; \
	tar -xf "$$copy/tree.tar" -C "$$copy/new"; \
	generators=$$(cd "$$copy/new" && go generate -n ./... 2>&1) || { echo "$$generators"; exit 1; }; \
	if [ -z "$$generators" ]; then echo 'no go:generate line yet: nothing to compare'; exit 0; fi; \
	echo "$$generators"; \
	(cd "$$copy/new" && go generate ./...); \
	(cd "$$copy" && diff -ru now new) || { \
		echo 'check-generated: files above are stale (-) compared with what is generated (+)'; \
		echo 'hint: make generate'; \
		exit 1; \
	}

.PHONY: bench
bench: ## Measure decisions, diagnosis, reading AWS, event to patch, a storm of events, and what each function costs.
	@set -euo pipefail; \
	for package in ./internal/authz ./internal/diagnose ./internal/awscloud ./internal/remedy ./internal/receiver; do \
		printf '\n== %s: runs, time, bytes and allocations per operation, on one core\n' "$$package"; \
		GOMAXPROCS=1 go test -run '^$$' -bench . -benchmem -cpu 1 "$$package"; \
	done
	@printf '\n== functions as they are deployed: medians of 100 starts beside an empty function\n'
	go test -run '^$$' -bench . -benchtime 1x ./internal/costs

# A pattern that matches no target makes go test print a warning and succeed, so the fuzzer's own progress line is looked for.
.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s) each.
	@set -euo pipefail; \
	targets=$$(grep -rnE --include='*_test.go' --exclude-dir=testdata --exclude-dir=node_modules \
		'^func Fuzz[A-Za-z0-9_]*\(' . | sed -E 's/^(.*)\/[^/]*:[0-9]+:func (Fuzz[A-Za-z0-9_]*)\(.*/\1 \2/' | sort) || true; \
	if [ -z "$$targets" ]; then echo 'fuzz: found no fuzz target'; exit 1; fi; \
	log=$$(mktemp); \
	trap 'rm -f "$$log"' EXIT; \
	while read -r package target; do \
		echo "fuzz $$package $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime '$(FUZZTIME)' "$$package" </dev/null | tee "$$log"; \
		grep -q '^fuzz: elapsed' "$$log" || { echo "fuzz: $$package $$target did not run"; exit 1; }; \
	done <<< "$$targets"

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what is called.
	$(govulncheck) ./...

.PHONY: functions
functions: ## Build the functions' zips, with the settings of CONFIG, into DIST/functions.
	rm -rf '$(DIST)/functions'
	go run ./internal/bundle '$(CONFIG)' '$(DIST)/functions' functions/*/

# The app runs without the CDK's command line, and asks no account. Node is what the CDK itself is made of.
.PHONY: node
node:
	@command -v node >/dev/null || { echo 'synth: no node, which the CDK is made of'; echo 'hint: install Node 22 or 24'; exit 1; }

.PHONY: synth
synth: node functions ## Make the templates of CONFIG in ASSEMBLY, and say what they cost; needs Node and no AWS account.
	rm -rf '$(ASSEMBLY)'
	REPLIMEND_SETTINGS='$(CONFIG)' REPLIMEND_FUNCTIONS='$(DIST)/functions' CDK_OUTDIR='$(ASSEMBLY)' \
		JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20 go run ./infra

# Those of Regions and relays say the same everywhere, so that one of each is enough.
.PHONY: templates
templates: synth ## Write what members deploy as plain CloudFormation, for StackSets, into DIST/templates.
	@set -euo pipefail; \
	rm -rf '$(DIST)/templates'; \
	mkdir -p '$(DIST)/templates'; \
	for template in '$(ASSEMBLY)'/replimend-{member,organization,region,relay}*.template.json; do \
		[ -e "$$template" ] || continue; \
		name=$$(basename "$$template" .template.json); \
		case $$name in replimend-region-*) name=replimend-region ;; replimend-relay-*) name=replimend-relay ;; esac; \
		cp "$$template" "$(DIST)/templates/$$name.json"; \
	done; \
	ls '$(DIST)/templates'

$(cdk): tools/cdk/package-lock.json
	cd tools/cdk && npm ci --no-audit --no-fund
	@touch $@

# Stacks wait for it in each account and Region. Without ENVIRONMENTS it is those of all stacks, for which one set of credentials has to
# do. Several accounts are prepared out of one assembly, at the same time if need be, so that it is not made here.
.PHONY: bootstrap
bootstrap: $(cdk) ## Prepare ENVIRONMENTS (aws://ACCOUNT/REGION), else those of all stacks in ASSEMBLY, for the CDK; once for each.
	@test -e '$(ASSEMBLY)/manifest.json' || { echo 'bootstrap: nothing is made that says where stacks go'; echo 'hint: make synth'; exit 1; }
	set -f; $(cdk) bootstrap --app '$(ASSEMBLY)' $(ENVIRONMENTS) $(OPTIONS)

# A table or bucket that an earlier deployment left behind is taken in again under its name.
.PHONY: deploy
deploy: synth $(cdk) ## Deploy CONFIG, or STACKS of it: the hub, the members, then what the hub hears from them.
	set -f; $(cdk) deploy --app '$(ASSEMBLY)' $(stacks) --import-existing-resources

.PHONY: diff
diff: synth $(cdk) ## Show what deploying CONFIG, or STACKS of it, would change.
	set -f; $(cdk) diff --app '$(ASSEMBLY)' $(stacks)

.PHONY: destroy
destroy: synth $(cdk) ## Remove what was deployed, or STACKS of it; the tables with the journal and the buckets of reports stay.
	set -f; $(cdk) destroy --app '$(ASSEMBLY)' $(stacks)

# Settings of a rehearsal lie outside of this folder, and what they make in the same folders as those of CONFIG.
.PHONY: rehearse-aws
rehearse-aws: ## Break and cure a route in two sandbox accounts of AWS (docs/deploy.md); not yet run against AWS.
	@go run ./internal/rehearseaws --accounts '$(REHEARSE_ACCOUNTS)' --profiles '$(REHEARSE_PROFILES)' \
		--regions '$(REHEARSE_REGIONS)' $(if $(CLEAN),--clean '$(CLEAN)')

.PHONY: clean
clean: ## Remove what was built and measured.
	rm -rf bin dist cdk.out coverage coverage.*
