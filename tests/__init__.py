"""Tests; the tree mirrors keyaudit/."""
