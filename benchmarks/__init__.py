"""Benchmarks: figures for the documentation, never assertions."""
