"""Tests; the tree mirrors keyaudit/.

Python keeps compiled modules even where the environment forbids it: each command that tests start would compile them again.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
