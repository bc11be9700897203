"""Tests; the tree mirrors keyaudit/.

Commands that tests start keep the compiled program, even where the environment asks for nothing compiled.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
