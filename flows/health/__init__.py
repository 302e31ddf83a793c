"""Health checks of a machine and of a shop: `metacart doctor`."""
