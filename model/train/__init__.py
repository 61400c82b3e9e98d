"""Fine-tuning with TRL from one TOML a run."""
