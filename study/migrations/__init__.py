"""Alembic migrations of the study database; they travel inside the package."""
