"""A simulated tenant on loopback: Entra's token endpoint, ARM, Resource Graph, Key Vault and Graph, over TLS.

It is a test double of Azure, so it imports nothing of keyaudit and could serve any other client.
"""
