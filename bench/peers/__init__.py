"""This project side by side with its peers: the same corpus, the same weights, one cold process each, in turn."""
