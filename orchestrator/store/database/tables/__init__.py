"""The tables by subject, cut as the folders of the store are. Import them from `schema.py`."""
