"""Guardrails with the limits of policies: documents to review and deploy, and the policies that none of them covers."""
