"""SafeMed-R1: ledger, training, serving, answering; files and HTTP in, files out."""
