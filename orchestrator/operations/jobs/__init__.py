"""Jobs: long acts are started, stopped and resumed by people, and carried out by a keeper."""
