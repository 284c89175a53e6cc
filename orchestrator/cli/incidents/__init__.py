"""`meshline incidents`: listing them, the page of one, and what people do with them."""
