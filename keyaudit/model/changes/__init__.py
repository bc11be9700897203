"""What changes from one snapshot to the next: findings that open and close, and messages about them."""
