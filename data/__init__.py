"""What ships: vignettes, protocols, the nano recipe and checkpoint."""
