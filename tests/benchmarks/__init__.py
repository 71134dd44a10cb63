"""How fast it is, always against floors measured in the same run: `python -m tests.benchmarks` (Linux)."""
