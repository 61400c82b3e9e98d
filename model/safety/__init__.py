"""Safety: typed scales, and what is judged on them."""
