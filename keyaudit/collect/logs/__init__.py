"""Where audit logs go, how long they are kept, and what watches them."""
