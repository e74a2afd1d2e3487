"""Measures the pipeline over a question set: retrieval, answers, citations and refusals, with intervals."""
