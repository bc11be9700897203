"""Account keys of other services, and their customer-managed keys."""
