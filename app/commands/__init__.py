"""The verbs of `safemed`, one file a group."""
