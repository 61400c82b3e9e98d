"""Tables in; estimates, tables, figures and the report out."""
