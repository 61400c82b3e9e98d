"""The ledger of training rows and its firewall."""
