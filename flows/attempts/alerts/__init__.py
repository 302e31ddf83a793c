"""Alerts: what a failed night tells people, in a file, by a webhook and by mail."""
