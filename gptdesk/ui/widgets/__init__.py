"""Small widgets that the panel and the dialogs share."""
