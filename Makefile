# The things people do with this tree. Every target may be run again at any time and is quick when there is nothing to do.

BUILD ?= build
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local

.DEFAULT_GOAL := help
.PHONY: help deps deps-gpu build models check test sanitize demo bench test-gpu bench-gpu test-trixie format lint clean install

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install what the build needs: Debian packages (with sudo where needed) and pinned npm packages
	@scripts/deps

deps-gpu: deps ## fetch what networks on an NVIDIA GPU need: ONNX Runtime's CUDA provider
	@scripts/deps-gpu

build: deps ## build the library, the plugin and the program into build/
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD)
	@ninja -C $(BUILD) -j $(JOBS)

models: build ## fetch and convert the default models into the user's data folder
	@$(BUILD)/sightline models fetch --from models/node_modules

check: build ## the quick tests: no models, no network, no root
	@meson test -C $(BUILD) --suite check --timeout-multiplier 5 --print-errorlogs

test: models ## all tests, those with the default models too
	@scripts/test $(BUILD)

sanitize: deps ## the tests under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer
	@scripts/sanitize $(BUILD)

demo: models ## recognise two men in real video; leaves out/demo.mp4, out/demo.jsonl and out/demo.png
	@examples/demo/run $(BUILD)

bench: models ## measure, and write docs/performance.md
	@bench/run $(BUILD)

test-gpu: models ## the tests that need a GPU; after make deps-gpu
	@scripts/test-gpu $(BUILD)

test-trixie: ## all tests on Debian 13, with its GStreamer and ONNX Runtime, in a root that is made outside of the tree
	@scripts/test-trixie

bench-gpu: build ## measure what runs on a GPU
	@bench/run-gpu $(BUILD)

format: ## format the sources
	@scripts/sources | xargs clang-format -i

lint: build ## format, directions of includes, clang-tidy
	@scripts/lint $(BUILD)

clean: ## remove what was built; installed packages and models stay
	@rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan out

install: build ## install under PREFIX (default /usr/local; with sudo where needed)
	@meson configure $(BUILD) --prefix $(PREFIX)
	@mkdir -p $(PREFIX) 2>/dev/null; if [ -w $(PREFIX) ]; then meson install -C $(BUILD); else echo "Installing to $(PREFIX) needs root."; sudo meson install -C $(BUILD); fi
	@scripts/after-install $(BUILD)
