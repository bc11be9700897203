"""keyaudit: what an Azure and Entra tenant's signing keys and credentials are, and what could not be seen."""

__version__ = "0.1.0"
