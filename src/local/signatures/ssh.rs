//! SSH signatures, with `ssh-keygen -Y`: the calls that git makes (`verify_ssh_signed_buffer` in
//! gpg-interface.c).

use std::ffi::OsString;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::program::Program;
use super::{VerifierEnvironment, VerifierError, private_folder, write};
use crate::core::verification::answers::{self, Answer};
use crate::core::verification::{Fault, SignedObject, Signer, Verdict};

const PROGRAM: &str = "ssh-keygen";

/// The keys, as files that only this user may read.
pub(super) struct SshFiles {
    program: Program,
    folder: TempDir,
    allowed: PathBuf,
    revoked: Option<PathBuf>,
}

impl SshFiles {
    /// Writes the keys down.
    pub(super) fn new(
        allowed: &[u8],
        revoked: Option<&[u8]>,
        environment: &VerifierEnvironment,
    ) -> Result<Self, VerifierError> {
        let program = Program::find(PROGRAM, environment)?;
        let folder = private_folder(PROGRAM)?;
        let allowed = write(&folder, "allowed_signers", allowed, PROGRAM)?;
        let revoked = revoked.map(|keys| write(&folder, "revoked", keys, PROGRAM)).transpose()?;
        Ok(Self { program, folder, allowed, revoked })
    }

    /// The verdict about a signature.
    pub(super) fn verify(
        &self,
        object: &SignedObject,
        signature: &[u8],
    ) -> Result<Verdict, VerifierError> {
        let folder = private_folder(PROGRAM)?;
        let payload = write(&folder, "payload", &object.payload, PROGRAM)?;
        // As git does for what Windows wrote.
        let plain: Vec<u8> = signature.iter().copied().filter(|byte| *byte != b'\r').collect();
        let signature = write(&folder, "signature", &plain, PROGRAM)?;
        let when = match object.time.map(local_time) {
            Some(None) => return Ok(Verdict::bad(Fault::BadSignature)),
            Some(Some(time)) => Some(format!("-Overify-time={time}").into()),
            None => None,
        };
        let call = Call { files: self, payload: &payload, signature: &signature, when };
        let found = call.find_principals()?;
        let mut fault = None;
        for principal in answers::principals(&found) {
            let answer = call.verify(principal, self.revoked.as_ref())?;
            if let Some(key) = answers::good_key(&answer) {
                let signer = Signer { principal: principal.to_owned(), key: key.to_owned() };
                return Ok(Verdict::Good { signer, until: None });
            }
            fault.get_or_insert((answers::fault_of(&answer), principal));
        }
        let checked = call.check()?;
        let Some((fault, principal)) = fault else {
            return Ok(answers::no_principal(&found, &checked));
        };
        let key = answers::good_key(&checked).map(str::to_owned);
        // ssh-keygen does not say that a key is revoked. Only the message depends on this.
        let is_revoked = fault == Fault::BadSignature
            && self.revoked.is_some()
            && answers::good_key(&call.verify(principal, None)?).is_some();
        Ok(Verdict::Bad { fault: if is_revoked { Fault::Revoked } else { fault }, key })
    }
}

/// The files of one signature.
struct Call<'a> {
    files: &'a SshFiles,
    payload: &'a PathBuf,
    signature: &'a PathBuf,
    when: Option<OsString>,
}

impl Call<'_> {
    fn find_principals(&self) -> Result<Answer, VerifierError> {
        let allowed = [OsString::from("-f"), self.files.allowed.clone().into()];
        self.run("find-principals", allowed)
    }

    fn check(&self) -> Result<Answer, VerifierError> {
        self.run("check-novalidate", ["-n".into(), "git".into()])
    }

    fn verify(&self, principal: &str, revoked: Option<&PathBuf>) -> Result<Answer, VerifierError> {
        let mut arguments: Vec<OsString> = ["-n", "git", "-f"].map(Into::into).into();
        arguments.push(self.files.allowed.clone().into());
        arguments.extend(["-I".into(), principal.into()]);
        if let Some(revoked) = revoked {
            arguments.extend(["-r".into(), revoked.into()]);
        }
        self.run("verify", arguments)
    }

    fn run(
        &self,
        action: &str,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Answer, VerifierError> {
        let mut all: Vec<OsString> = vec!["-Y".into(), action.into()];
        all.extend(arguments);
        all.extend(["-s".into(), self.signature.into()]);
        all.extend(self.when.clone());
        self.files.program.run(self.files.folder.path(), &all, Some(self.payload))
    }
}

/// A time as git gives it to ssh-keygen, which takes it for local time.
fn local_time(seconds: i64) -> Option<String> {
    let time = Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::system());
    // ssh-keygen reads four digits of a year.
    (1970..10_000).contains(&time.year()).then(|| time.strftime("%Y%m%d%H%M%S").to_string())
}
