"""Clientele: the customer data warehouse that is ready by morning."""
