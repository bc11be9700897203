"""Decodes and checks answers."""
