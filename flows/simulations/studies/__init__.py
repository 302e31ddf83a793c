"""The protocol: learners against baselines on study shops with known truth, by rules fixed in advance."""
