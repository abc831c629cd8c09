"""What a person touches: the browser chat, the terminal command, the words of both languages."""
