"""Questions about single cells of tables, and whether their rows are found."""
