//! Which kinds there are, what their fields are like, and which of these name other objects.

pub mod catalog;
pub mod lifecycle;
pub mod manual;
pub mod references;
pub mod release;
pub mod schemas;
