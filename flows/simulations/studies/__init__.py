"""The protocol: learners against baselines on study shops whose truth is known, so that nobody can choose."""
