//! The rules of the machine's file that say which commits may be applied.

use std::path::PathBuf;

use serde::Deserialize;

use crate::core::manifest::{self, PathPart};
use crate::core::verification::{Mode, PathRules, glob};

/// Which commits of some targets may be applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyRule {
    /// Patterns of the targets' names.
    pub targets: Vec<String>,
    /// The SSH keys that count.
    pub ssh: Option<SshTrust>,
    /// The OpenPGP keys that count.
    pub openpgp: Option<OpenPgpTrust>,
    /// Which commits have to be signed.
    #[serde(default)]
    pub mode: Mode,
    /// The paths that each signer may sign for.
    #[serde(default)]
    pub signers: PathRules,
}

/// The SSH keys that count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SshTrust {
    /// A file with lines as of ALLOWED SIGNERS in ssh-keygen(1).
    pub allowed_signers: PathBuf,
    /// A file with public keys that do not count any more, or a KRL.
    pub revoked: Option<PathBuf>,
}

/// The OpenPGP keys that count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenPgpTrust {
    /// A file as `gpg --export` writes it.
    pub keys: PathBuf,
}

impl VerifyRule {
    /// Whether it is for a target of this name.
    pub fn is_for(&self, target: &str) -> bool {
        self.targets.iter().any(|pattern| glob::matches(pattern, target))
    }

    /// The fault, with the key that it is at.
    fn fault(&self) -> Option<(Vec<PathPart<'static>>, String)> {
        let ssh = |key| vec![PathPart::Key("ssh"), PathPart::Key(key)];
        let mut files = Vec::new();
        if let Some(SshTrust { allowed_signers, revoked }) = &self.ssh {
            files.push((ssh("allowed-signers"), allowed_signers));
            files.extend(revoked.as_ref().map(|revoked| (ssh("revoked"), revoked)));
        }
        if let Some(OpenPgpTrust { keys }) = &self.openpgp {
            files.push((vec![PathPart::Key("openpgp"), PathPart::Key("keys")], keys));
        }
        if self.targets.is_empty() {
            return Some((vec![PathPart::Key("targets")], "targets names no target".to_owned()));
        }
        if files.is_empty() {
            let message = "no keys: expected ssh, openpgp or both".to_owned();
            return Some((Vec::new(), message));
        }
        let (at, path) = files.into_iter().find(|(_, path)| !path.is_absolute())?;
        Some((at, format!("{} is not an absolute path", path.display())))
    }
}

/// A rule that can't be meant.
pub(super) struct RuleFault {
    /// Line, from 1.
    pub(super) line: usize,
    /// Column, from 1.
    pub(super) column: usize,
    /// The fault.
    pub(super) message: String,
}

/// The first rule that can't be meant, in a file called `name`.
pub(super) fn first_fault(rules: &[VerifyRule], name: &str, bytes: &[u8]) -> Option<RuleFault> {
    let mut faults = rules.iter().enumerate();
    let (index, (below, message)) =
        faults.find_map(|(index, rule)| rule.fault().map(|fault| (index, fault)))?;
    let mut at = vec![PathPart::Key("verify"), PathPart::Index(index)];
    at.extend(below);
    let value = manifest::value(name, bytes).ok().flatten();
    let place = value.and_then(|(_, positions)| positions.of_value(&at));
    let (line, column) = place.unwrap_or((1, 1));
    Some(RuleFault { line, column, message: format!("verify[{index}]: {message}") })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::machine::{Machine, MachineProbe};
    use super::*;

    fn read(text: &str) -> Result<Vec<VerifyRule>, String> {
        let look = MachineProbe { is_file: &|_| true, exists: &|_| true };
        let machine = Machine::read(Path::new("/c/config.yaml"), text.as_bytes(), look);
        machine.map(|machine| machine.verify).map_err(|error| error.to_string())
    }

    #[test]
    fn rules_say_who_may_sign_for_which_targets() {
        let text = "\
verify:
- targets: [prod, 'shop-*']
  ssh: {allowed-signers: /etc/trueup/allowed_signers, revoked: /etc/trueup/revoked}
  openpgp: {keys: /etc/trueup/signers.asc}
  mode: all
  signers: {platform@shop.example: ['infra/**']}
- targets: [test]
  openpgp: {keys: /k}
";
        let rules = read(text).unwrap();
        assert_eq!(rules[0].mode, Mode::All);
        assert_eq!(rules[0].signers.0["platform@shop.example"], ["infra/**"]);
        assert!(rules[0].is_for("prod") && rules[0].is_for("shop-eu"));
        assert!(!rules[0].is_for("test") && !rules[0].is_for("prod2"));
        assert_eq!((rules[1].mode, &rules[1].ssh), (Mode::Head, &None));
    }

    #[test]
    fn a_rule_that_cannot_be_meant_is_an_error_with_its_place() {
        for (text, expected) in [
            (
                "verify:\n- targets: [a]\n  openpgp:\n    keys: k.asc\n",
                "/c/config.yaml:4:11: verify[0]: k.asc is not an absolute path",
            ),
            (
                "verify:\n- targets: [a]\n  ssh: {allowed-signers: /s, revoked: ./r}\n",
                "/c/config.yaml:3:39: verify[0]: ./r is not an absolute path",
            ),
            (
                "verify:\n- targets: []\n  openpgp: {keys: /k}\n",
                "/c/config.yaml:2:12: verify[0]: targets names no target",
            ),
            ("verify:\n- targets: [a]\n", "/c/config.yaml:2:3: verify[0]: no keys: expected ssh"),
            (
                "verify:\n- targets: [a]\n  openpgp: {keys: /k}\n  mode: tip\n",
                "/c/config.yaml:4:9: verify[0].mode: unknown value \"tip\"; allowed here: head, all",
            ),
            (
                "verify:\n- targets: [a]\n  gpg: {keys: /k}\n",
                "/c/config.yaml:3:3: verify[0]: unknown key \"gpg\"; allowed here: ",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
