//! Made data.
