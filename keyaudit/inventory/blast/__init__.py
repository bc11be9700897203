"""What a stolen key opens: what trusts it, and what its holder can become and reach, from one subject outwards."""
