"""Alerts: what a failed night reports, in a file, by a webhook and by mail."""
