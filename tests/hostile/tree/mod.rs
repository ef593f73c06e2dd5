//! Trees and work trees that lead out of the checkout, and repositories of other users.
