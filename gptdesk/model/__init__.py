"""The GPT itself; `config` needs no torch, every other module does."""
