"""Texts, times and ids."""
