"""A simulated year of logs: uses of keys, secrets and mail by applications and users, and one intrusion."""
