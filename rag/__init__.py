"""Question to answer: retrieval, prompt, model, checked citations."""
