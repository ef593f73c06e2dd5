//! The object of `--object`, by any of the names that kubectl takes for its kind.

use crate::cli::exit::Failure;
use crate::cli::kubernetes;
use crate::core::history::{KnownRun, ObjectPattern};
use crate::core::kinds::manual::Manual;

/// An object as it was named, and which that is.
#[derive(Clone, Debug)]
pub(super) struct NamedObject {
    pub(super) name: String,
    pub(super) pattern: ObjectPattern,
}

impl NamedObject {
    /// The same with the kinds that its word means, as kubectl takes it.
    ///
    /// # Errors
    ///
    /// When no kind is called so, neither of Kubernetes nor of an object in the rounds.
    pub(super) fn among(self, runs: &[KnownRun]) -> Result<Self, Failure> {
        let word = self.pattern.word().to_owned();
        let manual = Manual::of(kubernetes::release_of(None));
        let called = manual.map(|manual| manual.called(&word)).unwrap_or_default();
        let is_unknown = called.is_empty();
        let pattern = self.pattern.of_kinds(called);
        let mut objects =
            runs.iter().filter_map(|run| run.record.as_ref()).flat_map(|it| &it.objects);
        if is_unknown && !objects.any(|object| pattern.is_kind(&object.key)) {
            let error = anyhow::anyhow!("no kind {word:?} is known to Kubernetes or to a round");
            let hints = vec!["write KIND/NAME, as deployment/web".to_owned()];
            return Err(Failure { error, hints });
        }
        Ok(Self { pattern, ..self })
    }
}

/// Reads an object of the command line.
pub(super) fn pattern(text: &str) -> Result<NamedObject, String> {
    let pattern = ObjectPattern::parse(text);
    let pattern = pattern.ok_or("expected KIND/NAME or KIND/NAMESPACE/NAME")?;
    Ok(NamedObject { name: text.to_owned(), pattern })
}
