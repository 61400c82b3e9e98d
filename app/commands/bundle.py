"""The verb that verifies a bundle offline, and where the key that signs one lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.output import AsJson, say

SigningKey = Annotated[
    Path | None,
    typer.Option(
        "--signing-key", envvar="SAFEMED_SIGNING_KEY",
        help="File of the private key; made at first use, beside the database by default.",
    ),
]  # fmt: skip
MARKS = {"holds": "ok   ", "open": "open ", "fault": "FAULT"}


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(verify)


def key_beside(store: str) -> Path:
    """The key's file where none is named: beside a database file, else where one stands."""
    if "://" in store:
        return Path("safemed-signing.key")
    database = Path(store)
    return database.with_name(f"{database.stem}-signing.key")


def verify(
    bundle: Annotated[Path, typer.Argument(help="A frozen dataset, or a training run.")],
    receipt: Annotated[
        list[str] | None,
        typer.Option("--receipt", help="number:digest, as printed at register, lock or unblind."),
    ] = None,
    public_key: Annotated[
        str | None, typer.Option("--public-key", help="Of the signer, as given out before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a frozen dataset or a training run offline; status 1 if anything was changed."""
    from study.verify import Receipt
    from study.verify import verify as verify_bundle

    checks: Sequence[Any]
    if _is_training_run(bundle):
        from model.train.verify import verify_run

        checks = verify_run(bundle, public_key=public_key)
    else:
        receipts = [Receipt.from_words(words) for words in receipt or []]
        checks = verify_bundle(bundle, receipts=receipts, public_key=public_key)
    say(
        as_json,
        {"checks": [{"name": c.name, "outcome": c.outcome, "words": c.words} for c in checks]},
        [f"{MARKS[c.outcome]}  {c.name}: {c.words}" for c in checks],
    )
    if any(check.outcome == "fault" for check in checks):
        raise typer.Exit(1)


def _is_training_run(bundle: Path) -> bool:
    """By the manifest's schema; what cannot be read is for the verifier to say."""
    try:
        schema = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["schema"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return str(schema).startswith("safemed.training/")
