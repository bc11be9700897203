"""What is said of a bug: where it happened, and nothing that the tenant sent."""

import traceback
from pathlib import Path


def bug(error: BaseException) -> str:
    """The error's type and its innermost places in the code; never its message, which may hold what was being read."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {places}"
