# The two commands of the README, and what they are made of.
.PHONY: demo test bench check fmt setup

demo: ## From nothing to a working server with data, on SQLite.
	@cargo run --quiet -p cadre -- demo

test: ## Installs what the tests need and runs all of them, on SQLite and PostgreSQL.
	@scripts/test

setup: ## Installs what the tests need.
	@scripts/setup

bench: ## Measures speed, as ratios within one run.
	@scripts/bench

check: fmt ## What a reviewer looks at first.
	@cargo clippy --workspace --all-targets -- -D warnings
	@cargo run --quiet -p xtask -- tidy

fmt:
	@cargo fmt --all
