"""Flower with one more tab: the events, as the store knows them."""
