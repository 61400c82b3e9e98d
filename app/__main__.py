"""`python -m app` is the `safemed` command."""

from app.command import main

main()
