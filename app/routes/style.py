"""The stylesheet of the plain pages, with the typeface that Streamlit brings; the form's script."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from app.components.draft_form import script

STYLE = Path(__file__).parents[1] / "style"


async def pages(_request: Request) -> Response:
    """The stylesheet."""
    return Response(stylesheet(), media_type="text/css", headers={"cache-control": "no-cache"})


async def form(_request: Request) -> Response:
    """The script of the form; its address changes with it, so a browser may keep it."""
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(script(), media_type="text/javascript", headers=headers)


@cache
def stylesheet() -> str:
    """Typeface, colours and the rules of the plain pages."""
    parts = [(STYLE / name).read_text(encoding="utf-8") for name in ("tokens.css", "pages.css")]
    return "\n".join([_typeface(), *parts])


def _typeface() -> str:
    import streamlit

    media = Path(streamlit.__file__).parent / "static" / "static" / "media"
    found = sorted(media.glob("SourceSansVF-Upright*.woff2"))
    if not found:
        return ""
    source = f'url("/static/media/{found[0].name}") format("woff2")'
    return (
        '@font-face { font-family: "Source Sans"; font-weight: 200 900; font-display: swap; '
        f"src: {source}; }}"
    )
