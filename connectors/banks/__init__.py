"""One module and one card (`<bank>.md`) per bank; `connectors.registry` finds them."""
