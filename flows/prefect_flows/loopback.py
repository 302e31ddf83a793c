"""The one address that anything is served on: it is reached from this machine alone."""

HOST = "127.0.0.1"
