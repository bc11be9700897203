"""Collectors turn Azure's answers into rows and coverage, one file per surface. Nothing is evaluated here."""
