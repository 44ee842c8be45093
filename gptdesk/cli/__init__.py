"""The command line: text to stdout as it comes, everything else to stderr."""
