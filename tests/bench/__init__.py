"""Measurements, as ratios within one run. `python -m tests.bench` prints them; no test asserts a time."""
