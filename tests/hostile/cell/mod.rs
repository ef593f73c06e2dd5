//! Programs that render and try to get out of their cell; and what a repository says that reaches
//! their arguments, or would be run instead of them.

mod arguments;
#[cfg(target_os = "linux")]
mod guards;
mod path;
#[cfg(target_os = "linux")]
mod planted;
#[cfg(target_os = "linux")]
mod walls;
