"""Other shapes of a frozen dataset, and plain tables on their way in."""
