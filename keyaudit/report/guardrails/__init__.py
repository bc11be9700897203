"""Guardrails by the limits of policies: documents to review and deploy, and what none of them prevents."""
