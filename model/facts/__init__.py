"""Drug facts: what the deterministic checks and the corpus of nano rest on."""
