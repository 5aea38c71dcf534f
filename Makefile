# The two commands of the README, and what they are made of.
.PHONY: demo test soak bench check fmt setup

demo: ## From nothing to a working server with data, on SQLite.
	@cargo run --quiet -p cadre -- demo

test: ## Installs what the tests need and runs all of them, on SQLite and PostgreSQL.
	@scripts/test

setup: ## Installs what the tests need.
	@scripts/setup

soak: ## Many seeded rounds of faults, on both databases: ROUNDS=10000 ORDERS=10000 SEED=1.
	@cargo run --release -q -p cadre-testkit --bin soak -- $(or $(ROUNDS),10000) $(or $(SEED),1)
	@cargo run --release -q -p cadre-testkit --bin soak-writes -- $(or $(ORDERS),10000) $(or $(SEED),1)

bench: ## Measures speed, as ratios within one run.
	@scripts/bench

check: fmt ## What a reviewer looks at first.
	@cargo clippy --workspace --all-targets -- -D warnings
	@cargo run --quiet -p xtask -- tidy

fmt:
	@cargo fmt --all
