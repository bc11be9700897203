"""The message about a bug: where it happened, without any data of the tenant."""

import traceback
from pathlib import Path


def bug(error: BaseException) -> str:
    """The error's type and its innermost places in the code, without its message, which may contain data of the tenant."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__name__} at {places}"
