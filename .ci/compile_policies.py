"""Part of building a wheel: the shipped policies, read and checked once, go into it as data."""

import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompilePolicies(BuildHookInterface):  # type: ignore[misc] # hatchling comes without types
    """Adds `keyaudit/_policies/compiled.msgpack`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; a checkout that is installed to be edited compiles at its first use instead."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from keyaudit.policy import compiled  # noqa: PLC0415 - it is found only now
        from keyaudit.policy.load import load, policy_files  # noqa: PLC0415

        root = Path(self.root) / "policies"
        made_from = compiled.digest(root, policy_files(root))
        made = Path(mkdtemp()) / compiled.NAME
        made.write_bytes(compiled.content(load(root), made_from, root))
        build_data["force_include"][str(made)] = f"keyaudit/_policies/{compiled.NAME}"
