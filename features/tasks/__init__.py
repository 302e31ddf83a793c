"""From logged rounds to what a learner eats: one task per segment, split by time."""
