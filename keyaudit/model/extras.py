"""What has to be installed for some formats and commands, besides keyaudit itself."""


def installing(extra: str) -> str:
    """How to install an extra: keyaudit is in no registry, and is installed from its checkout."""
    return f"run pip install '.[{extra}]' in the checkout of keyaudit"
