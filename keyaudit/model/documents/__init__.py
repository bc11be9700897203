"""Files that people write, in TOML and YAML: settings, policies, waivers and records. First nodes with places, then types."""
