"""People answering and rating under a protocol; owns the database; knows no model."""
