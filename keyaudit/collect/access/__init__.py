"""Access to keys: role assignments, access policies, and the members of groups."""
