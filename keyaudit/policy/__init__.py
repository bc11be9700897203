"""Policies: YAML files become typed conditions, conditions become SQL, and SQL over the inventory becomes findings."""
