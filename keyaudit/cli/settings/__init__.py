"""What keyaudit.toml and flags set: values, limits, owners, recipients and the selection of policies."""
