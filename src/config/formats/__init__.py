"""How dates are written where the language alone would say it otherwise."""
