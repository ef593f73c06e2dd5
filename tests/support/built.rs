//! Programs of others, each of one release, which a script in `fixtures` builds once.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The folder that the script of this name has built them in, or why it could not.
pub fn folder(name: &str) -> Result<PathBuf, String> {
    let script = format!("{}/fixtures/{name}/build", env!("CARGO_MANIFEST_DIR"));
    let built = Command::new("bash").arg(script).stdin(Stdio::null()).output();
    let built = built.map_err(|error| format!("cannot run bash: {error}"))?;
    match built.status.success() {
        true => Ok(String::from_utf8_lossy(&built.stdout).trim().into()),
        false => Err(format!(
            "fixtures/{name}/build could not build them: it needs Go, and a module proxy or \
             modules that were fetched before\n{}",
            String::from_utf8_lossy(&built.stderr)
        )),
    }
}
