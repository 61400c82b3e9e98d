"""Alembic's entry: runs the migrations on the connection that `study.store` hands over."""

from alembic import context

from study import tables_custody, tables_people, tables_rating, tables_review
from study.tables import Base

# Imported for the tables they map.
__all__ = ["tables_custody", "tables_people", "tables_rating", "tables_review"]

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
