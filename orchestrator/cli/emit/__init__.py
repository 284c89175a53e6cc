"""`meshline emit`: triggers from the command line, one or a file of them."""
