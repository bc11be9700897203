"""Tests; the tree mirrors keyaudit/.

What is compiled is kept, whatever the environment says: each command that tests start would compile the program again.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
