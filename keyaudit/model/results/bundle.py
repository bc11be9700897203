"""What the manifest of an evidence bundle says of itself, so that a reader of snapshots can tell it from one."""

MANIFEST = "manifest.json"
FAMILY = "keyaudit-bundle/"
SCHEMA = f"{FAMILY}1"
"""Increased when an older keyaudit could misread a newer format."""
