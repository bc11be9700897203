"""Every operation under every fault, against what the same tenant says without one: `python -m tests.sweep`."""
