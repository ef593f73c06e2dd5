//! Parse, run, exit code; nothing more.

use std::process::ExitCode;

fn main() -> ExitCode {
    trueup::cli::main()
}
