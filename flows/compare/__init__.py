"""Comparing learners through whole nights of simulated shops, by true value."""
