"""Printed commands run by the unmodified Azure CLI against a simulated tenant that may be written to, which is audited again.

`python -m tests.rehearsal` runs all of the slice, shows what each command closed, and writes `keyaudit/report/rehearsed.json`.
"""
