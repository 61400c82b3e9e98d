"""The script that Streamlit runs for every page and every change."""

from app.screens.shell import run

run()
