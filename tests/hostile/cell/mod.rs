//! Programs that render and try to get out of their cell.
