"""The graph of what trusts a stolen key and what its holder reaches, in words, and the plan to close it."""
