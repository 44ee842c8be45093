"""The editor: one column of plain text, tinted provisional text, find bar."""
