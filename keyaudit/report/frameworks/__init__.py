"""Findings by the controls of frameworks."""
