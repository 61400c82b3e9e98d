"""One OpenAI-compatible endpoint over an embedded engine."""
