"""The triggers that make a table append-only, in SQLite and in PostgreSQL."""

from collections.abc import Sequence

from alembic import op


def refuse_changes(tables: Sequence[str]) -> None:
    """Refuse UPDATE and DELETE (and PostgreSQL's TRUNCATE) on each table, whoever asks."""
    refuse = _refuse_on_sqlite if op.get_bind().dialect.name == "sqlite" else _refuse_on_postgresql
    for table in tables:
        for act in ("UPDATE", "DELETE"):
            refuse(table, act)


def _refuse_on_sqlite(table: str, act: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} BEGIN "
        f"SELECT RAISE(ABORT, '{table} is append-only: {act} refused'); END"
    )


def _refuse_on_postgresql(table: str, act: str) -> None:
    name = f"{table}_no_{act.lower()}"
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{table} is append-only: {act} refused' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    # A statement's trigger: it refuses even where no row would match, and TRUNCATE with DELETE.
    acts = f"{act} OR TRUNCATE" if act == "DELETE" else act
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {acts} ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )
