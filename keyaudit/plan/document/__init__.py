"""The plan that `terraform show -json` prints: its resources and their references."""
