//! The programs that render, and how strictly they are confined.

use serde::Deserialize;

/// The policy where a guard is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardMode {
    /// Do without it, and say so.
    #[default]
    BestEffort,
    /// Render nothing.
    Require,
}

/// A program that renders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RenderProgram {
    /// kustomize itself.
    Kustomize,
    /// kubectl, which has kustomize in it.
    Kubectl,
    /// Helm 3 or 4.
    Helm,
    /// Jsonnet in Go or C++.
    Jsonnet,
    /// Jsonnet in Rust.
    Jrsonnet,
}

impl RenderProgram {
    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kustomize => "kustomize",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
            Self::Jsonnet => "jsonnet",
            Self::Jrsonnet => "jrsonnet",
        }
    }
}
