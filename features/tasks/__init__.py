"""The tasks of learners from logged rounds: one task per segment, split by time."""
