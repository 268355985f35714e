"""Small tools that any folder may use. They know nothing of newsrooms and import no part."""
