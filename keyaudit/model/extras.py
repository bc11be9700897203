"""The extras that some formats and commands need."""


def installing(extra: str) -> str:
    """The command that installs an extra, from a checkout of keyaudit."""
    return f"run pip install '.[{extra}]' in the checkout of keyaudit"
