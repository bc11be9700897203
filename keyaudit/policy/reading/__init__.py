"""From the YAML of a policy to a definition whose every part is checked."""
