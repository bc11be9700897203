"""What .github/ ships to pipelines: checked by others' schemas and lint, and its scripts run as an agent would run them."""
