"""Every format's output of one fixed report, kept to be read in a review. `python -m tests.golden` rewrites it."""
