"""Part of building a wheel: the shipped policies, read and checked once, go into it as data."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_COMPILE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from keyaudit.policy import compiled
from keyaudit.policy.load import load, policy_files
root = Path(sys.argv[1]) / "policies"
made_from = compiled.digest(root, policy_files(root))
Path(sys.argv[2]).write_bytes(compiled.content(load(root), made_from, root))
"""


class CompilePolicies(BuildHookInterface):  # type: ignore[misc] # hatchling comes without types
    """Adds `keyaudit/_policies/compiled.msgpack`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; a checkout that is installed to be edited compiles at its first use instead."""
        if version == "editable":
            return
        made = Path(mkdtemp()) / "compiled.msgpack"
        # Sets are written in the order of their hashes: with a fixed seed one checkout always makes the same wheel.
        environ = {**os.environ, "PYTHONHASHSEED": "0"}
        subprocess.run([sys.executable, "-c", _COMPILE, self.root, str(made)], check=True, env=environ)  # noqa: S603 - our own code
        build_data["force_include"][str(made)] = "keyaudit/_policies/compiled.msgpack"
