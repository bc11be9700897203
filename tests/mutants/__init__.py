"""Seeded mutants of the code that decides."""
