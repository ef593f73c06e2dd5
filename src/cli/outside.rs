//! The findings of a check of all targets about the rest of the checkout: manifests that belong to none.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::kept::KeptAnswers;
use super::kept::findings::CheckAnswer;
use super::merged::MergedAnswer;
use crate::app::{
    Beside, Declaration, FilesDigest, Outside, Target, declare_unless, inside, outside,
};
use crate::core::check::{CheckRule, Finding, Level};
use crate::core::source::selection::Aside;
use crate::git::Checkout;

/// The rest of a checkout.
pub(super) struct Rest<'a> {
    /// All targets.
    pub(super) targets: &'a [Target],
    /// The files and folders outside their paths that are read for them.
    pub(super) read_elsewhere: &'a [String],
    /// Files and folders that serve another purpose, such as policies.
    pub(super) aside: &'a [Aside],
    /// Whether answers of earlier runs count.
    pub(super) reuse: bool,
}

impl Rest<'_> {
    /// Adds a warning for each folder with manifests of the rest.
    ///
    /// # Errors
    ///
    /// When git can't be read.
    pub(super) async fn add_to(
        self,
        merged: &mut MergedAnswer,
        checkout: &Checkout,
    ) -> Result<(), Failure> {
        let findings = match self.findings(checkout).await {
            // The fault of a target may keep the rest from being read as well.
            Err(_) if merged.failed > 0 => return Ok(()),
            findings => findings?,
        };
        for finding in findings {
            if !merged.has_any_at(&finding.place) {
                merged.note(None, finding);
            }
        }
        Ok(())
    }

    /// A warning for each folder with manifests of the rest.
    ///
    /// # Errors
    ///
    /// When git can't be read.
    async fn findings(self, checkout: &Checkout) -> Result<Vec<Finding>, Failure> {
        let Self { targets, read_elsewhere, aside, reuse } = self;
        let Some(first) = targets.first() else { return Ok(Vec::new()) };
        let others: Vec<String> = aside.iter().map(|it| it.path.clone()).collect();
        let inside = inside(targets, read_elsewhere, &others);
        let kept = reuse.then(|| KeptAnswers::of("outside", &inside, checkout)).flatten();
        let kept = kept.map(std::sync::Arc::new);
        let recall = {
            let kept = kept.clone();
            move |files: &FilesDigest| CheckAnswer::from_bytes(&kept?.recall(files)?)
        };
        match outside(first, checkout, inside, recall).await? {
            Outside::Known(answer) => Ok(answer.findings),
            Outside::Read(problems, digest) => {
                let finding =
                    |problem| Finding::from_problem(problem, Level::Warning, CheckRule::Outside);
                let findings: Vec<Finding> = problems.iter().map(finding).collect();
                if let (Some(kept), Some(digest)) = (kept, digest) {
                    let answer =
                        CheckAnswer { findings: findings.clone(), ..CheckAnswer::default() };
                    kept.keep(&digest, &answer.to_bytes());
                }
                Ok(findings)
            }
        }
    }
}

/// The files and folders that are read for a target outside its paths, as far as its paths can be read one by
/// one.
pub(super) async fn read_by_parts(target: &Target, checkout: &Checkout) -> Vec<String> {
    let mut read_elsewhere = Vec::new();
    for path in &target.paths {
        let part = Target { paths: vec![path.clone()], ..target.clone() };
        if let Ok(Declaration::Read(declared, _)) =
            declare_unless(&part, checkout, Beside::Nothing, |_| None::<Infallible>).await
        {
            read_elsewhere.extend(declared.read_elsewhere);
        }
    }
    read_elsewhere
}

/// The files that `--schemas` and `--policy` name in the checkout. Of schemas only JSON is no manifest: a definition in
/// YAML may well be one that is applied.
pub(super) fn aside(
    schemas: &[PathBuf],
    policies: &[PathBuf],
    directory: &Path,
    checkout: &Checkout,
) -> Vec<Aside> {
    let schemas = schemas.iter().map(|path| (path, ".json"));
    let named = schemas.chain(policies.iter().map(|path| (path, "")));
    let aside = |(path, ending): (&PathBuf, _)| {
        Some(Aside { path: checkout.repo_path(directory, path).ok()?, ending })
    };
    named.filter_map(aside).collect()
}
