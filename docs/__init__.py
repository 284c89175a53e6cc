"""The project's words; some of these pages are written by the code that they tell of."""
