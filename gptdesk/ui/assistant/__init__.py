"""The assistant's panel, and the controllers that turn its buttons into jobs of the worker."""
