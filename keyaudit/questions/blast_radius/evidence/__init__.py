"""The blast radius of a stolen key: what trusts it, and what its holder can access."""
