"""From files to a searchable index: reading, passages, embedding, tokens, catalogue, vectors."""
