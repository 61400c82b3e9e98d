"""Scripted people: they answer and rate through the same services as people do."""
