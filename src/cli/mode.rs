//! `--mode`: whether the commits of a target are applied by themselves, and who decides that.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::exit::Failure;
use super::machine_file::machine;
use crate::config::modes::{mode_of, windows_of};
use crate::core::modes::TargetMode;
use crate::core::modes::windows::Window;

/// Reads the flag.
pub(super) fn parser() -> impl TypedValueParser<Value = TargetMode> {
    PossibleValuesParser::new(TargetMode::NAMES).map(|name| name.parse().unwrap_or_default())
}

/// The mode of a target: the flag counts first, then the machine's file, then trueup.yaml.
///
/// # Errors
///
/// When the machine's file can't be used.
pub(super) fn mode(
    flag: Option<TargetMode>,
    target: &str,
    declared: Option<TargetMode>,
) -> Result<TargetMode, Failure> {
    let of_machine = mode_of(&machine()?.modes, target);
    Ok(flag.or(of_machine).or(declared).unwrap_or_default())
}

/// The windows of a target: those of the machine's file count before those of trueup.yaml.
///
/// # Errors
///
/// When the machine's file can't be used.
pub(super) fn windows(target: &str, declared: Vec<Window>) -> Result<Vec<Window>, Failure> {
    let machine = machine()?;
    Ok(windows_of(&machine.modes, target).map_or(declared, <[Window]>::to_vec))
}
