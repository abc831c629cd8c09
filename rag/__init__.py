"""From a question to a verified, cited answer: retrieval, prompt, models, generation, verification."""
