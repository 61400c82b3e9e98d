"""One walk from a training row to a table cell, over the files that the three packages wrote."""
