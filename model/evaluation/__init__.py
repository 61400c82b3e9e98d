"""Putting items to a served model and keeping what it answered and how it was judged."""
