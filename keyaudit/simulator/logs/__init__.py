"""A simulated year of logs: what a tenant's applications and people do with keys, secrets and mail, and one intrusion."""
