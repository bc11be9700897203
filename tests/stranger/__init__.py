"""A company that the policies' authors did not know, and what an architect expects to be said of it."""
