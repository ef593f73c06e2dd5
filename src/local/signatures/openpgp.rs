//! OpenPGP signatures, with `gpg` and a keyring that holds the machine's keys alone. To be in it is to
//! be trusted: git would take the user's whole keyring, and by default any key in it.

use std::ffi::OsString;

use jiff::Timestamp;
use tempfile::TempDir;

use super::program::Program;
use super::{VerifierEnvironment, VerifierError, private_folder, write};
use crate::core::verification::{SignedObject, Verdict, answers};

const PROGRAM: &str = "gpg";
/// No configuration, no agent, no network, no question, no trust but that of the keyring.
const OPTIONS: [&str; 11] = [
    "--no-options",
    "--batch",
    "--no-tty",
    "--no-autostart",
    "--disable-dirmngr",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--no-auto-check-trustdb",
    "--trust-model",
    "always",
    "--quiet",
];

/// A keyring.
pub(super) struct Keyring {
    program: Program,
    home: TempDir,
    /// When a key of it expires next.
    next_expiry: Option<i64>,
}

impl Keyring {
    /// Makes a keyring of exported keys.
    pub(super) fn new(
        keys: &[u8],
        environment: &VerifierEnvironment,
    ) -> Result<Self, VerifierError> {
        let program = Program::find(PROGRAM, environment)?;
        let home = private_folder(PROGRAM)?;
        let file = write(&home, "keys", keys, PROGRAM)?;
        let mut keyring = Self { program, home, next_expiry: None };
        let imported = keyring.run(&["--status-fd", "1", "--import"], [file.into()], None)?;
        if !imported.stdout.contains("[GNUPG:] IMPORT_OK ") {
            let mut lines = imported.stderr.lines().filter(|line| !line.trim().is_empty());
            return Err(VerifierError::Keys(
                lines.next_back().unwrap_or("no key in it").to_owned(),
            ));
        }
        let listed = keyring.run(&["--with-colons", "--list-keys"], [], None)?;
        let now = Timestamp::now().as_second();
        keyring.next_expiry = answers::next_expiry(&listed.stdout, now);
        Ok(keyring)
    }

    /// The verdict about a signature.
    pub(super) fn verify(
        &self,
        object: &SignedObject,
        signature: &[u8],
    ) -> Result<Verdict, VerifierError> {
        let folder = private_folder(PROGRAM)?;
        let payload = write(&folder, "payload", &object.payload, PROGRAM)?;
        let signature = write(&folder, "signature", signature, PROGRAM)?;
        let files = [signature.into(), "-".into()];
        let answer = self.run(&["--status-fd", "1", "--verify"], files, Some(&payload))?;
        Ok(match answers::openpgp(&answer) {
            Verdict::Good { signer, until } => {
                let until = until.into_iter().chain(self.next_expiry).min();
                Verdict::Good { signer, until }
            }
            bad => bad,
        })
    }

    fn run(
        &self,
        arguments: &[&str],
        files: impl IntoIterator<Item = OsString>,
        input: Option<&std::path::PathBuf>,
    ) -> Result<answers::Answer, VerifierError> {
        let mut all: Vec<OsString> = OPTIONS.map(Into::into).into();
        all.extend(["--homedir".into(), self.home.path().into()]);
        all.extend(arguments.iter().map(Into::into));
        all.extend(files);
        self.program.run(self.home.path(), &all, input.map(std::path::PathBuf::as_path))
    }
}
