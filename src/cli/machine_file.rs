//! The machine's own file, read where it is.

use std::io;
use std::path::Path;

use super::exit::Failure;
use crate::config::machine::{self, Machine, MachineProbe};
use crate::local::bounded_read;

/// The settings of the machine's own file; none where there is no such file.
pub(super) fn machine() -> Result<Machine, Failure> {
    let Some(folders) = directories::ProjectDirs::from("", "", "trueup") else {
        return Ok(Machine::default());
    };
    let file = folders.config_dir().join(machine::FILE);
    match bounded_read::read_regular(&file, machine::LARGEST) {
        Ok(bytes) => {
            let look = MachineProbe { is_file: &Path::is_file, exists: &Path::exists };
            Ok(Machine::read(&file, &bytes, look)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Machine::default()),
        Err(error) => Err(anyhow::Error::new(error).context(file.display().to_string()).into()),
    }
}
