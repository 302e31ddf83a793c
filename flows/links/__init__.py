"""Links: the user ids of a serving system beside the pseudonyms of the published tables."""
