"""HTTP routes beside the screens: entry, drafts, files, health."""
