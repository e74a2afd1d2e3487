"""Files to store: discover, parse, split, embed, commit."""
